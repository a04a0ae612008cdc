// Event time over a whole job: where watermarks come from, and what operators see of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "integration/jobs.h"
#include "millrace/actors/simulated_cluster.h"
#include "millrace/connect.h"
#include "millrace/millrace.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test_support::run_on;
using testing::ElementsAre;

struct Event {
  std::int64_t source = 0;
  std::int64_t key = 0;
  Timestamp at;
};

struct Seen {
  std::int64_t source = 0;
  Timestamp at;
  Timestamp timestamp;
  Timestamp watermark;
};

class Watch : public KeyedProcess<std::int64_t, Event, Seen> {
 public:
  void process(const Event& event, Context& context, Collector<Seen>& out) override {
    out.emit({event.source, event.at, context.timestamp(), context.watermark()});
  }
};

// Event time goes at the same pace in every source, but the records come more or less often.
auto events(std::int64_t source, std::uint64_t count, Duration apart) {
  return generate<Event>(
      {.count = count, .rate_per_second = 1'000.0 / static_cast<double>(apart.count())},
      [source, apart](std::uint64_t index) {
        const auto number = static_cast<std::int64_t>(index);
        return Event{source, number % 7, Timestamp(number * apart)};
      });
}

std::vector<Seen> run_simulated(std::uint64_t seed,
                                const std::function<Stream<Event>(Job&)>& build) {
  std::vector<Seen> seen;
  detail::SimulatedCluster cluster(seed);
  const Status status = run_on(
      cluster, [&](Job& job) { build(job).key_by(&Event::key).process<Watch>().to(collect(seen)); },
      {.parallelism = 2});
  EXPECT_TRUE(status) << status.error().message();
  return seen;
}

TEST(EventTime, TheWatermarkIsTheLeastOfAllSources) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::vector<Seen> seen = run_simulated(seed, [](Job& job) {
      const auto often = job.from(events(1, 8'000, 1ms)).event_time(&Event::at, monotonic());
      const auto seldom =
          job.from(events(2, 1'600, 5ms)).event_time(&Event::at, out_of_order_by(0s));
      return often.union_with(seldom);
    });
    ASSERT_EQ(seen.size(), 9'600u);
    std::size_t with_watermark = 0;
    for (const Seen& record : seen) {
      EXPECT_EQ(record.timestamp, record.at);
      ASSERT_LT(record.watermark, record.at) << "no record is late, from source " << record.source;
      if (record.watermark != kMinTimestamp) ++with_watermark;
    }
    EXPECT_GT(with_watermark, 2'000u) << "and it goes on with the slower source";
  }
}

// Has nothing to say for ten minutes.
class Silent : public Source<Event> {
 public:
  Result<Poll> poll(Collector<Event>& out) override {
    if (*polls_ == 0) {
      polls_.edit() += 1;
      return Poll::idle_for(10min);
    }
    out.emit({9, 9, Timestamp(1ms)});
    return Poll::end();
  }

 private:
  SourceState<std::int64_t> polls_{*this, "polls", 0};
};

std::size_t with_watermark(const std::vector<Seen>& seen) {
  return static_cast<std::size_t>(std::ranges::count_if(
      seen, [](const Seen& record) { return record.watermark != kMinTimestamp; }));
}

TEST(EventTime, AnIdleSourceDoesNotHoldBackTheOthers) {
  const auto job_with = [](WatermarkStrategy strategy) {
    return [strategy](Job& job) {
      const auto talks = job.from(events(1, 5'000, 50ms)).event_time(&Event::at, monotonic());
      return talks.union_with(job.from(source<Silent>()).event_time(&Event::at, strategy));
    };
  };
  EXPECT_EQ(with_watermark(run_simulated(1, job_with(monotonic()))), 0u);
  EXPECT_GT(with_watermark(run_simulated(1, job_with(monotonic().idle_after(1min)))), 2'000u);
}

TEST(EventTime, AlsoStandsBehindAnOperator) {
  const std::vector<Seen> seen = run_simulated(3, [](Job& job) {
    return job.from(events(1, 8'000, 1ms))
        .map([](const Event& event) { return event; })
        .event_time([](const Event& event) { return event.at; }, monotonic());
  });
  ASSERT_EQ(seen.size(), 8'000u);
  for (const Seen& record : seen) {
    EXPECT_EQ(record.timestamp, record.at);
    EXPECT_LT(record.watermark, record.at);
  }
  EXPECT_GT(with_watermark(seen), 2'000u);
}

class EventTimePlan : public testing::Test {
 protected:
  // The kinds of the job's operators.
  std::vector<std::string> plan(const JobFunction& function) {
    Job job(builder_);
    builder_.call(function, job);
    const Result<detail::BuiltJob> built = builder_.build();
    std::vector<std::string> kinds;
    if (!built) return {built.error().message()};
    for (const detail::OperatorSpec& spec : built->plan.operators) kinds.push_back(spec.kind);
    return kinds;
  }

  detail::JobBuilder builder_{"test", Parameters()};
};

TEST_F(EventTimePlan, IsPartOfTheSourceDirectlyBehindIt) {
  EXPECT_THAT(plan([](Job& job) {
                job.from(events(1, 10, 1ms)).event_time(&Event::at, monotonic()).to(discard());
              }),
              ElementsAre("generate", "discard"));
}

TEST_F(EventTimePlan, IsAnOperatorAnywhereElse) {
  EXPECT_THAT(plan([](Job& job) {
                job.from(events(1, 10, 1ms))
                    .event_time(&Event::at, monotonic())
                    .event_time(&Event::at, monotonic())
                    .rebalance()
                    .event_time(&Event::at, monotonic())
                    .to(discard());
              }),
              ElementsAre("generate", "event_time", "event_time", "discard"));
}

TEST_F(EventTimePlan, RefusesABoundBelowZero) {
  EXPECT_THAT(
      plan([](Job& job) {
        job.from(events(1, 10, 1ms)).event_time(&Event::at, out_of_order_by(-5ms)).to(discard());
      }),
      ElementsAre("out_of_order_by(-5 ms): records cannot be out of order by less than 0"));
}

TEST_F(EventTimePlan, RefusesAnIdleTimeOfNothing) {
  EXPECT_THAT(plan([](Job& job) {
                job.from(events(1, 10, 1ms))
                    .event_time(&Event::at, monotonic().idle_after(0s))
                    .to(discard());
              }),
              ElementsAre("idle_after(0 ms): a source is idle after a time above 0 without "
                          "records"));
}

TEST_F(EventTimePlan, RefusesIdlenessFarFromTheSource) {
  EXPECT_THAT(plan([](Job& job) {
                job.from(events(1, 10, 1ms))
                    .filter([](const Event&) { return true; })
                    .event_time(&Event::at, monotonic().idle_after(1s))
                    .to(discard());
              }),
              ElementsAre("idle_after(...) is about a source: put event_time() directly behind "
                          "from(), and only once, or leave idle_after() out"));
}

}  // namespace
}  // namespace millrace
