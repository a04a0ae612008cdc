// Jobs whose state is larger than its memory, and whose database refuses it for a while.
#include <gtest/gtest.h>

#include <algorithm>

#include "integration/jobs.h"
#include "millrace/actors/embedded_cluster.h"
#include "millrace/actors/simulated_cluster.h"
#include "millrace/millrace.h"
#include "support/memory_stores.h"
#include "support/shaky_stores.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kKeys = 250;
constexpr std::size_t kLarge = 128 << 10;

struct Visit {
  std::int64_t key = 0;
  std::int64_t number = 0;
  friend auto operator<=>(const Visit&, const Visit&) = default;
};

// Counts the visits of each key in a text too large for many of them to stay in memory.
class CountInLargeText : public KeyedProcess<std::int64_t, Visit, Visit> {
 public:
  void process(const Visit& visit, Context&, Collector<Visit>& out) override {
    if (!text_) text_ = std::string(kLarge, '.');
    std::string& text = text_.edit();
    text[0] = static_cast<char>(text[0] + 1);
    out.emit({visit.key, text[0] - '.'});
  }

 private:
  ValueState<std::string> text_{*this, "text"};
};

JobFunction visiting_job(std::vector<Visit>& counts) {
  return [&counts](Job& job) {
    job.from(generate<Visit>({.count = 2 * kKeys, .rate_per_second = 10'000},
                             [](std::uint64_t index) {
                               return Visit{static_cast<std::int64_t>(index) % kKeys, 1};
                             }))
        .key_by(&Visit::key)
        .process<CountInLargeText>()
        .to(collect(counts));
  };
}

void expect_each_count_once(std::vector<Visit> counts) {
  std::vector<Visit> expected;
  for (std::int64_t key = 0; key < kKeys; ++key) {
    expected.push_back({key, 1});
    expected.push_back({key, 2});
  }
  std::ranges::sort(counts);
  EXPECT_EQ(counts, expected);
}

struct Stores {
  test_support::MemoryCheckpoints checkpoints;
  test_support::MemoryMetadata metadata;
  test_support::ShakyStores states;

  detail::ExecutionSettings settings() {
    return {.checkpoints = {.interval = 20ms, .timeout = 2s, .tolerable_failures = 1'000},
            .restart = detail::FixedDelayRestart{.attempts = 100, .delay = 3ms},
            .checkpoint_store = &checkpoints,
            .metadata_store = &metadata,
            .state_stores = &states,
            .state_memory = 1 << 20};
  }
};

TEST(Congestion, HoldsAJobUpAndLosesNothing) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    std::vector<Visit> counts;
    Stores stores;
    int refused = 0;
    stores.states.refuse = [&refused]() -> Status {
      if (refused >= 20) return {};
      return ++refused, resource_exhausted("the disk is full");
    };
    detail::SimulatedCluster cluster(
        seed, {.task_failures = seed % 3, .deaths = seed % 2, .chance = 0.001});
    auto job =
        test_support::plan_job(visiting_job(counts), {.parallelism = 2, .mode = Mode::kStreaming});
    ASSERT_TRUE(job);
    const Status status = cluster.run(job->plan, job->code, stores.settings());
    ASSERT_TRUE(status) << "seed " << seed << ": " << status.error().message();
    EXPECT_EQ(refused, 20);
    expect_each_count_once(counts);
  }
}

TEST(Congestion, EndsAJobOnThreadsWhoseWriterIsBehindAtItsEnd) {
  std::vector<Visit> counts;
  Stores stores;
  Logging logging(LogLevel::kOff);
  detail::EmbeddedCluster cluster({.threads = 2, .seed = 1}, logging);
  const Status status =
      test_support::run_on(cluster, visiting_job(counts),
                           {.parallelism = 2, .mode = Mode::kStreaming}, stores.settings());
  ASSERT_TRUE(status) << status.error().message();
  expect_each_count_once(counts);
}

}  // namespace
}  // namespace millrace
