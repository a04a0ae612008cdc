// Jobs that are rescaled at any moment, while every ordinary barrier overtakes records and tasks
// fail: they go on exactly with another parallelism, or as they were.
#include <gtest/gtest.h>

#include <map>

#include "integration/jobs.h"
#include "integration/summing_operator.h"
#include "millrace/actors/simulated_cluster.h"
#include "millrace/coordination/directory_savepoints.h"
#include "millrace/millrace.h"
#include "millrace/state/files/real_file_system.h"
#include "millrace/state/memory_store.h"
#include "support/memory_stores.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test_support::KeyedNumber;
using Numbers = std::vector<KeyedNumber>;

constexpr std::int64_t kKeys = 5;
constexpr std::int64_t kRecords = 2'000;  // of each of two sources
constexpr std::int64_t kCopies = 6;       // that each becomes between two exchanges
constexpr int kTries = 50;

struct Stores {
  test_support::MemoryCheckpoints checkpoints;
  test_support::MemoryMetadata metadata;
  detail::MemoryStateStoreFactory states;
  detail::RealFileSystem files;
  detail::DirectorySavepoints savepoints{files};

  detail::ExecutionSettings settings(bool again) {
    return {.checkpoints = {.interval = 2ms,
                            .timeout = 1s,
                            .aligned_timeout = 0ms,
                            .tolerable_failures = 1'000},
            .restart = detail::FixedDelayRestart{.attempts = 1'000, .delay = 3ms},
            .checkpoint_store = &checkpoints,
            .metadata_store = &metadata,
            .state_stores = &states,
            .savepoints = &savepoints,
            .restore = again ? detail::RestoreFrom(detail::RestoreFromLatest())
                             : detail::RestoreFrom(detail::RestoreFromNothing())};
  }
};

test_support::PlannedJob planned(Numbers& shown, std::uint32_t parallelism) {
  auto made = test_support::plan_job(
      [&](Job& job) {
        const auto keyed = [](const std::int64_t& n) { return KeyedNumber{n % kKeys, 1}; };
        job.from(sequence(1, kRecords))
            .map(keyed)
            .union_with(job.from(sequence(1, kRecords)).map(keyed))
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
      },
      {.parallelism = parallelism, .mode = Mode::kStreaming});
  check(made.has_value(), "the job cannot be planned");
  return *std::move(made);
}

void expect_each_once(const Numbers& shown) {
  std::map<std::int64_t, std::int64_t> last;
  for (const KeyedNumber& sum : shown) ASSERT_EQ(sum.number, ++last[sum.key]) << "key " << sum.key;
  EXPECT_EQ(shown.size(), static_cast<std::size_t>(2 * kRecords * kCopies));
}

class RescaleSimulation : public testing::Test {
 protected:
  // Whether it stopped in order to go on; false: it has come to its end before.
  bool rescale(detail::RunningJob& job, std::uint64_t seed) {
    for (std::uint64_t step = 0; step < seed * 13 % 400; ++step) {
      if (job.wait_for(1ms)) return false;
    }
    Status taken;
    for (int i = 0; i < kTries; ++i) {
      taken = take_savepoint(job, {.path = {}, .then = detail::AfterSavepoint::kRescale});
      if (taken) return true;
      ++refused_;
      EXPECT_EQ(taken.error().code(), ErrorCode::kUnavailable) << taken.error().message();
      if (job.wait_for(50ms)) return false;  // its tasks may be about to restart
    }
    ADD_FAILURE() << "it could not be rescaled: " << taken.error().message();
    return false;
  }

  int rescaled_ = 0;
  int refused_ = 0;
};

TEST_F(RescaleSimulation, GoesOnExactly) {
  std::size_t in_flight = 0;  // files
  for (std::uint64_t seed = 0; seed < 150 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Numbers shown;
    Stores stores;
    stores.checkpoints.on_put = [&](std::string_view name) { in_flight += name == "in-flight"; };
    for (std::uint32_t round = 0; round < 4; ++round) {
      detail::SimulatedCluster cluster(
          seed * 10 + round,
          {.task_failures = seed % 4, .chance = 0.002, .time_passes = seed % 2 == 0 ? 0.02 : 0.2});
      auto job = planned(shown, static_cast<std::uint32_t>(1 + (seed + round) % 3));
      auto running =
          cluster.start(std::move(job.plan), std::move(job.code), stores.settings(round > 0));
      ASSERT_TRUE(running);
      if (!rescale(**running, seed + round)) break;
      ASSERT_TRUE((*running)->wait_for(1'000'000ms));
      const auto record = stores.metadata.read("test");
      ASSERT_TRUE(record && *record);
      rescaled_ += (*record)->state == detail::kRescalingState;
    }
    detail::SimulatedCluster cluster(seed);
    const Status status =
        test_support::run_to_the_end(cluster, planned(shown, 2), stores.settings(true));
    ASSERT_TRUE(status) << status.error().message();
    expect_each_once(shown);
  }
  EXPECT_GT(in_flight, 150U) << "too few records were overtaken for this to prove something";
  EXPECT_GT(rescaled_, 100);
  EXPECT_GT(refused_, 0) << "nothing met a failure";
}

}  // namespace
}  // namespace millrace
