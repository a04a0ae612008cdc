// The verifier's own job as an executable, for clusters to run. With --ballast=N it has so many
// more bytes of state for each key; an event whose key has lost them, or has another's, gets lost.
#include "millrace/millrace.h"
#include "millrace/verifier.h"

namespace {

using namespace millrace;

class Ballast
    : public KeyedProcess<std::tuple<std::uint32_t, std::uint64_t>, test::Event, test::Event> {
 public:
  Ballast(test::EventPattern pattern, std::size_t size) : pattern_(pattern), size_(size) {}

  void process(const test::Event& event, Context&, Collector<test::Event>& out) override {
    const std::string right(size_, static_cast<char>('a' + event.key % 26));
    if (pattern_.round_of(event.sequence) == 0) bytes_ = right;
    if (bytes_ && *bytes_ == right) out.emit(event);
  }

 private:
  test::EventPattern pattern_;
  std::size_t size_;
  ValueState<std::string> bytes_{*this, "bytes"};
};

std::uint64_t number(Job& job, std::string_view name) {
  return static_cast<std::uint64_t>(job.param<std::int64_t>(name));
}

void verified(Job& job) {
  const auto size = static_cast<std::size_t>(job.param("ballast", 0, "bytes of each key's state"));
  if (size == 0) return test::witnessed_job(job);
  const test::EventPattern pattern{
      .seed = number(job, "seed"),
      .partitions = static_cast<std::uint32_t>(number(job, "partitions")),
      .rounds = number(job, "rounds"),
      .keys = number(job, "keys")};
  const test::EventPace pace{.burst = number(job, "burst"),
                             .pause = std::chrono::microseconds(number(job, "pause"))};
  const auto laden = job.from(test::events(pattern, pace))
                         .named("events")
                         .event_time(&test::Event::at, monotonic())
                         .key_by(&test::Event::partition, &test::Event::key)
                         .process<Ballast>(pattern, size)
                         .named("ballast");
  test::witness(laden, pattern, job.param("output", kRequired, "a directory"));
}

}  // namespace

int main(int argc, char** argv) { return millrace::run("verified", verified, argc, argv); }
