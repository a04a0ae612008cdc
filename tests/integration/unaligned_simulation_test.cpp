// Checkpoints whose barriers overtake records, in jobs that fail at every kind of moment: what was
// in flight is part of them, so each result is shown once and in its key's order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "integration/jobs.h"
#include "integration/summing_operator.h"
#include "millrace/actors/simulated_cluster.h"
#include "millrace/connect.h"
#include "millrace/core/text.h"
#include "millrace/millrace.h"
#include "millrace/state/memory_store.h"
#include "support/memory_stores.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test_support::KeyedNumber;
using test_support::MemoryCheckpoints;
using test_support::MemoryMetadata;
using test_support::PlannedJob;
using Numbers = std::vector<KeyedNumber>;

constexpr std::int64_t kKeys = 5;
constexpr std::int64_t kRecords = 3'000;  // of each of two sources
constexpr std::int64_t kCopies = 6;       // that each becomes between two exchanges

// Sources without a pace fill all channels; the exchange behind the copies is short of credit.
void describe_job(Job& job, Numbers& shown) {
  const auto keyed = [](const std::int64_t& n) { return KeyedNumber{n % kKeys, 1}; };
  auto first = job.from(sequence(1, kRecords)).map(keyed);
  auto second = job.from(sequence(1, kRecords)).map(keyed);
  first.union_with(second)
      .rebalance()
      .flat_map([](const KeyedNumber& n, Collector<KeyedNumber>& out) {
        for (std::int64_t i = 0; i < kCopies; ++i) out.emit(n);
      })
      .key_by(&KeyedNumber::key)
      .sum(&KeyedNumber::number)
      .named("sum")
      .rebalance()
      .map([](const KeyedNumber& n) {
        return KeyedNumber{n.key, 1};
      })
      .key_by(&KeyedNumber::key)
      .sum(&KeyedNumber::number)
      .named("sum again")
      .to(collect(shown));
}

PlannedJob planned(Numbers& shown, std::uint32_t parallelism) {
  auto job = test_support::plan_job([&](Job& described) { describe_job(described, shown); },
                                    {.parallelism = parallelism, .mode = Mode::kStreaming});
  check(job.has_value(), "the job cannot be planned");
  return *std::move(job);
}

struct Stores {
  MemoryCheckpoints checkpoints;
  MemoryMetadata metadata;
  detail::MemoryStateStoreFactory states;

  detail::ExecutionSettings settings(Duration patience) {
    return {.checkpoints = {.interval = 5ms,
                            .timeout = 1s,
                            .aligned_timeout = patience,
                            .tolerable_failures = 1'000},
            .restart = detail::FixedDelayRestart{.attempts = 1'000, .delay = 3ms},
            .checkpoint_store = &checkpoints,
            .metadata_store = &metadata,
            .state_stores = &states};
  }
};

void expect_each_once(const Numbers& shown) {
  std::map<std::int64_t, std::int64_t> last;
  for (const KeyedNumber& sum : shown) ASSERT_EQ(sum.number, ++last[sum.key]) << "key " << sum.key;
  EXPECT_EQ(shown.size(), static_cast<std::size_t>(2 * kRecords * kCopies));
}

TEST(UnalignedCheckpoints, LoseAndRepeatNothing) {
  std::size_t in_flight = 0;  // files
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Numbers shown;
    Stores stores;
    detail::SimulatedCluster cluster(seed, {.task_failures = seed % 4,
                                            .deaths = seed % 3,
                                            .chance = 0.005,
                                            .time_passes = seed % 2 == 0 ? 0.02 : 0.2});
    const PlannedJob job = planned(shown, static_cast<std::uint32_t>(1 + seed % 3));
    stores.checkpoints.on_put = [&](std::string_view name) { in_flight += name == "in-flight"; };
    const detail::ExecutionSettings settings = stores.settings(seed % 3 == 0 ? 4ms : 0ms);
    const Status status = test_support::run_to_the_end(cluster, job, settings);
    ASSERT_TRUE(status) << "seed " << seed << ": " << status.error().message();
    expect_each_once(shown);
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(in_flight, 500U) << "too few records were overtaken for this to prove something";
}

}  // namespace
}  // namespace millrace
