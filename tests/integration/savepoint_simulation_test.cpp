// Savepoints at any moment of a job whose tasks fail: each one that is said to be complete is gone
// on from exactly, with another parallelism.
#include <gtest/gtest.h>

#include <map>

#include "integration/savepoint_job.h"
#include "millrace/actors/simulated_cluster.h"
#include "support/memory_stores.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using detail::AfterSavepoint;
using test_support::Everything;
using test_support::Numbers;
using test_support::Seen;

constexpr std::int64_t kEnd = 400;
constexpr int kTries = 20;
constexpr auto kLongEnough = 1'000'000ms;  // for a job that is to end: in steps

struct Stores {
  test_support::MemoryCheckpoints checkpoints;
  test_support::MemoryMetadata metadata;
  detail::MemoryStateStoreFactory states;
  detail::RealFileSystem files;
  detail::DirectorySavepoints savepoints{files};

  detail::ExecutionSettings settings(detail::RestoreFrom restore = {}) {
    return {.checkpoints = {.interval = 100us},
            .restart = detail::FixedDelayRestart{100, 1ms},
            .checkpoint_store = &checkpoints,
            .metadata_store = &metadata,
            .state_stores = &states,
            .savepoints = &savepoints,
            .restore = std::move(restore)};
  }
};

class SavepointSimulation : public testing::TestWithParam<AfterSavepoint> {
 protected:
  test_support::PlannedJob planned(bool waits, std::uint32_t parallelism) {
    auto made = test_support::plan_job(
        [&](Job& job) {
          job.from(source<Numbers>(Numbers::Until{kEnd, waits, nullptr}))
              .named("numbers")
              .event_time(&test_support::Event::at, out_of_order_by(0ms))
              .key_by(&test_support::Event::key)
              .process<Everything>()
              .named("everything")
              .to(collect(seen_))
              .named("seen");
        },
        {.parallelism = parallelism, .mode = Mode::kStreaming});
    EXPECT_TRUE(made);
    return *std::move(made);
  }

  // The path of a savepoint that is complete; the job has then stopped, or is cancelled. None if a
  // failure interrupted the drain when a checkpoint knew already that the input had ended.
  std::string save(detail::RunningJob& job, std::uint64_t seed) {
    for (std::uint64_t step = 0; step < seed * 7 % 400; ++step) (void)job.wait_for(1ms);
    for (int i = 0; i < kTries; ++i) {
      const std::string path = directory_.path(concat("save-", seed, "-", i));
      const Status taken = take_savepoint(job, {path, GetParam()});
      if (taken) return path;
      ++refused_;
      EXPECT_EQ(taken.error().code(), ErrorCode::kUnavailable) << taken.error().message();
      const bool ended = job.wait_for(50ms);  // its tasks may be about to restart
      if (ended && GetParam() == AfterSavepoint::kDrain) return {};
    }
    ADD_FAILURE() << "no savepoint came about, seed " << seed;
    return {};
  }

  // Each key's counts, without gaps.
  void expect_counted_once(std::uint64_t seed) {
    std::map<std::int64_t, std::int64_t> counts;
    std::int64_t timers = 0;
    for (const Seen& seen : seen_) {
      if (seen.timer) {
        ++timers;
      } else {
        EXPECT_EQ(seen.count, ++counts[seen.key]) << "seed " << seed;
        EXPECT_EQ(seen.listed, seen.count) << "seed " << seed;
      }
    }
    EXPECT_EQ(seen_.size() - static_cast<std::size_t>(timers), static_cast<std::size_t>(kEnd));
    EXPECT_EQ(timers, Numbers::kKeys);
  }

  test::TemporaryDirectory directory_;
  std::vector<Seen> seen_;
  int refused_ = 0;
};

TEST_P(SavepointSimulation, IsGoneOnFromExactly) {
  int saved = 0;
  for (std::uint64_t seed = 1; seed <= 100 && !HasFailure(); ++seed) {
    seen_.clear();
    std::string path;
    {
      Stores before;
      detail::SimulatedCluster cluster(seed,
                                       {.task_failures = 20, .chance = 0.01, .time_passes = 0.1});
      test_support::PlannedJob job = planned(true, 2);
      detail::ExecutionSettings settings = before.settings();
      auto running = cluster.start(std::move(job.plan), std::move(job.code), std::move(settings));
      ASSERT_TRUE(running);
      path = save(**running, seed);
      if (GetParam() == AfterSavepoint::kGoOn) {
        (*running)->cancel();
        EXPECT_FALSE((*running)->result());
        seen_.clear();  // what it showed after the savepoint is not its
      } else {
        EXPECT_TRUE((*running)->wait_for(kLongEnough)) << "seed " << seed;
      }
    }
    if (path.empty()) continue;
    ++saved;
    const std::size_t shown = seen_.size();
    Stores after;
    detail::SimulatedCluster cluster(seed + 1'000,
                                     {.task_failures = 2, .chance = 0.002, .time_passes = 0.01});
    const test_support::PlannedJob job = planned(false, 3);
    const Status ended =
        test_support::run_to_the_end(cluster, job, after.settings(detail::RestoreFromPath{path}));
    ASSERT_TRUE(ended) << ended.error().message();
    if (GetParam() == AfterSavepoint::kStop) expect_counted_once(seed);
    if (GetParam() == AfterSavepoint::kDrain) {
      EXPECT_EQ(seen_.size(), shown);
    }
    if (GetParam() != AfterSavepoint::kGoOn) continue;
    for (const Seen& seen : seen_) {
      if (!seen.timer) continue;
      EXPECT_EQ(seen.count, kEnd / Numbers::kKeys) << "seed " << seed;
    }
  }
  EXPECT_GT(saved, 50);
  EXPECT_GT(refused_, 0) << "no savepoint met a failure";
}

INSTANTIATE_TEST_SUITE_P(All, SavepointSimulation,
                         testing::Values(AfterSavepoint::kGoOn, AfterSavepoint::kStop,
                                         AfterSavepoint::kDrain));

}  // namespace
}  // namespace millrace
