// Open loop: events are due at a fixed rate, whatever the engine does; the latency of each is from
// the moment at which it was due to the moment at which the sink has its result.
#include <mutex>

#include "millrace/connect.h"
#include "millrace/core/metrics.h"
#include "millrace/millrace.h"
#include "support.h"

namespace millrace::bench {
namespace {

using namespace std::chrono_literals;

struct Event {
  std::int64_t key;
  std::int64_t count;
  std::int64_t due;  // nanoseconds of the monotonic clock
};

struct Position {
  std::int64_t next = 0;
  std::int64_t step = 1;
};

// Each subtask emits every `step`-th event.
class Schedule : public SplitSource<Event, Position> {
 public:
  static constexpr bool kBounded = true;

  Schedule(std::int64_t per_second, std::int64_t events)
      : per_second_(per_second), events_(events) {}

  Result<std::vector<Position>> discover(std::uint32_t parallelism) override {
    std::vector<Position> positions;
    for (std::uint32_t i = 0; i < parallelism; ++i) positions.push_back({i, parallelism});
    return positions;
  }
  Status open(SourceContext& context) override {
    clock_ = &context.clock();
    start_ = clock_->monotonic();
    return {};
  }
  Status open_split(const Position&) override { return {}; }
  Result<Poll> poll(Position& position, Collector<Event>& out) override {
    const std::chrono::nanoseconds now = clock_->monotonic();
    for (; position.next < events_ && !out.full(); position.next += position.step) {
      const std::chrono::nanoseconds due = start_ + position.next * 1'000'000'000ns / per_second_;
      if (due > now) return Poll::idle_for(due - now);
      out.emit({position.next % 10'000, 1, due.count()});
    }
    return position.next < events_ ? Poll::more() : Poll::end();
  }

 private:
  const std::int64_t per_second_;
  const std::int64_t events_;
  const Clock* clock_ = nullptr;
  std::chrono::nanoseconds start_{0};
};

std::mutex merging;
Histogram all_latencies;

class Latencies : public Sink<Event> {
 public:
  Status open(SinkContext& context) override {
    clock_ = &context.clock();
    return {};
  }
  Status write(std::span<const Event> events) override {
    const std::int64_t now = clock_->monotonic().count();
    for (const Event& event : events) latencies_.record(now - event.due);
    return {};
  }
  Status close() override {
    std::lock_guard lock(merging);
    all_latencies.merge(latencies_.snapshot());
    return {};
  }

 private:
  const Clock* clock_ = nullptr;
  Histogram latencies_;
};

void measure(std::int64_t per_second, std::int64_t seconds) {
  std::vector<double> p50;
  std::vector<double> p99;
  std::vector<double> p999;
  for (int i = 0; i < kRuns; ++i) {
    all_latencies.reset();
    run_job(
        [=](Job& job) {
          job.from(source<Schedule>(per_second, per_second * seconds))
              .key_by(&Event::key)
              .reduce([](const Event& total, const Event& event) {
                return Event{event.key, total.count + event.count, event.due};
              })
              .to(sink<Latencies>());
        },
        2, "streaming");
    const Histogram::Snapshot latencies = all_latencies.snapshot();
    expect(latencies.count() == static_cast<std::uint64_t>(per_second * seconds),
           "some events had no result");
    p50.push_back(static_cast<double>(latencies.quantile(0.50)) / 1e3);
    p99.push_back(static_cast<double>(latencies.quantile(0.99)) / 1e3);
    p999.push_back(static_cast<double>(latencies.quantile(0.999)) / 1e3);
  }
  std::printf(
      "latency at %7ld events/s, medians of %d runs of %ld s: p50 %6.1f us, p99 %7.1f us, "
      "p99.9 %8.1f us\n",
      per_second, kRuns, seconds, median(p50), median(p99), median(p999));
  std::fflush(stdout);
}

}  // namespace
}  // namespace millrace::bench

int main() {
  millrace::bench::measure(100'000, 5);
  millrace::bench::measure(1'000'000, 5);
}
