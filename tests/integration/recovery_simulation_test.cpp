// Whole jobs whose tasks and process fail at every kind of moment, chosen by seeds: what the sinks
// have shown in the end is what an undisturbed run shows, each result once and in its key's order.
#include <gtest/gtest.h>

#include <algorithm>
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

constexpr std::int64_t kKeys = 7;
constexpr std::int64_t kSlow = 150;  // records of the source that lasts longest
constexpr std::int64_t kFast = 40;   // of the one that ends at once
constexpr std::int64_t kRecords = kSlow + kFast;

// What one run shows: the running sums of two kinds of state, and the records themselves.
struct Shown {
  Numbers sums;     // of an operator with a keyed backend
  Numbers rolling;  // of one whose state is in tables over a state store
  Numbers records;
};

KeyedNumber keyed(std::int64_t n) { return {n % kKeys, 1}; }

// A union of a slow source with one that ends soon, fanned out to three sinks by two exchanges.
void describe_job(Job& job, Shown& shown) {
  auto slow = job.from(generate<KeyedNumber>({.count = kSlow, .rate_per_second = 1'000},
                                             [](std::uint64_t index) {
                                               return keyed(static_cast<std::int64_t>(index));
                                             }))
                  .named("slow");
  auto fast = job.from(sequence(1, kFast)).map([](const std::int64_t& n) { return keyed(n); });
  auto all = slow.union_with(fast).rebalance().map([](const KeyedNumber& n) { return n; });
  all.to(collect(shown.records));
  all.key_by(&KeyedNumber::key).sum(&KeyedNumber::number).named("sums").to(collect(shown.sums));
  all.key_by(&KeyedNumber::key)
      .sum(&KeyedNumber::number)
      .named("rolling")
      .to(collect(shown.rolling));
}

PlannedJob planned(Shown& shown, std::uint64_t seed) {
  auto job = test_support::plan_job([&](Job& described) { describe_job(described, shown); },
                                    {.parallelism = static_cast<std::uint32_t>(1 + seed % 3),
                                     .mode = Mode::kStreaming,
                                     .chaining = seed % 5 != 0});
  check(job.has_value(), "the job cannot be planned");
  job->code.operators.at(detail::operator_id("sums")).make = [] {
    return std::make_unique<test_support::SummingOperator>();
  };
  return *std::move(job);
}

struct Stores {
  MemoryCheckpoints checkpoints;
  MemoryMetadata metadata;
  detail::MemoryStateStoreFactory states;

  detail::ExecutionSettings settings() {
    return {.checkpoints = {.interval = 10ms, .timeout = 15ms, .tolerable_failures = 1'000},
            .restart = detail::FixedDelayRestart{.attempts = 1'000, .delay = 3ms},
            .checkpoint_store = &checkpoints,
            .metadata_store = &metadata,
            .state_stores = &states};
  }
};

// Each call to a store fails now and then: what was asked is not done, or done without a reply.
void make_unreliable(Stores& stores, Random& random) {
  const auto sometimes = [&random]() -> Status {
    if (random.chance(0.05)) return unavailable("the store is not there");
    return {};
  };
  stores.checkpoints.fail_put = sometimes;
  stores.checkpoints.fail_write_metadata = sometimes;
  stores.checkpoints.fail_read_metadata = sometimes;
  stores.checkpoints.fail_remove = sometimes;
  stores.metadata.fail_read = sometimes;
  stores.metadata.fail_write = sometimes;
  stores.metadata.lose_reply = sometimes;
}

// Each key's sums are 1, 2, 3, ... in this order, and none is missing.
void expect_each_sum_once(const Numbers& shown) {
  EXPECT_EQ(shown.size(), static_cast<std::size_t>(kRecords));
  std::map<std::int64_t, std::int64_t> last;
  for (const KeyedNumber& sum : shown) EXPECT_EQ(sum.number, ++last[sum.key]) << "key " << sum.key;
}

void expect_exactly_once(const Shown& shown) {
  expect_each_sum_once(shown.sums);
  expect_each_sum_once(shown.rolling);
  Numbers expected;
  for (std::int64_t n = 0; n < kSlow; ++n) expected.push_back(keyed(n));
  for (std::int64_t n = 1; n <= kFast; ++n) expected.push_back(keyed(n));
  Numbers records = shown.records;
  std::ranges::sort(expected);
  std::ranges::sort(records);
  EXPECT_EQ(records, expected);
}

TEST(Recovery, TakesCheckpointsOfAnUndisturbedJob) {
  Shown shown;
  Stores stores;
  detail::SimulatedCluster cluster(1);
  const PlannedJob job = planned(shown, 1);
  const Status status = cluster.run(job.plan, job.code, stores.settings());
  ASSERT_TRUE(status) << status.error().message();
  expect_exactly_once(shown);
  ASSERT_TRUE(stores.metadata.record);
  EXPECT_GT(stores.metadata.record->next_checkpoint, 10U);
  EXPECT_EQ(stores.metadata.record->state, "finished");
  EXPECT_EQ(stores.checkpoints.metadata.size(), 1U) << "the newest is retained";
}

class RecoveryTest : public testing::TestWithParam<int> {};

constexpr std::uint64_t kSeedsPerShard = 250;

TEST_P(RecoveryTest, ShowsEachResultOnceWhateverFails) {
  const auto shard = static_cast<std::uint64_t>(GetParam());
  for (std::uint64_t seed = shard * kSeedsPerShard; seed < (shard + 1) * kSeedsPerShard; ++seed) {
    Shown shown;
    Stores stores;
    Random random(seed);
    if (seed % 7 == 0) make_unreliable(stores, random);
    detail::SimulatedCluster cluster(seed, {.task_failures = seed % 4,
                                            .deaths = seed % 3,
                                            .chance = seed % 11 == 0 ? 0.02 : 0.002,
                                            .time_passes = seed % 2 == 0 ? 0 : 0.02});
    const PlannedJob job = planned(shown, seed);
    const Status status = test_support::run_to_the_end(cluster, job, stores.settings());
    ASSERT_TRUE(status) << "seed " << seed << ": " << status.error().message();
    expect_exactly_once(shown);
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

TEST(Recovery, LosesNothingWhereRecordsCountAtLeastOnce) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Shown shown;
    Stores stores;
    detail::SimulatedCluster cluster(seed, {.task_failures = 2, .deaths = 1, .chance = 0.002});
    detail::ExecutionSettings settings = stores.settings();
    settings.checkpoints.mode = CheckpointMode::kAtLeastOnce;
    const PlannedJob job = planned(shown, seed);
    const Status status = test_support::run_to_the_end(cluster, job, settings);
    ASSERT_TRUE(status) << "seed " << seed << ": " << status.error().message();
    std::map<std::int64_t, std::int64_t> last;
    for (const KeyedNumber& sum : shown.sums) {
      last[sum.key] = std::max(last[sum.key], sum.number);
    }
    std::int64_t counted = 0;
    for (const auto& [key, sum] : last) counted += sum;
    EXPECT_GE(counted, kRecords) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RecoveryTest, testing::Range(0, 4));

}  // namespace
}  // namespace millrace
