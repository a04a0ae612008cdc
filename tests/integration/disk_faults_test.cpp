// Whole jobs on a disk of which each call fails once, with an error or because it is full: the
// checkpoint is declined and the job goes on, or it is refused clearly and the next start is exact.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

#include "integration/jobs.h"
#include "millrace/actors/simulated_cluster.h"
#include "millrace/connect.h"
#include "millrace/coordination/local_metadata_store.h"
#include "millrace/millrace.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/memory_store.h"
#include "millrace/testing/verifier/account_check.h"
#include "millrace/testing/verifier/sighting_check.h"
#include "millrace/verifier.h"
#include "support/fault_file_system.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test_support::PlannedJob;
using testing::AnyOf;
using testing::HasSubstr;

constexpr test::EventPattern kPattern{.seed = 9, .partitions = 3, .rounds = 9, .keys = 8};

// A job of some 30 milliseconds, the disk that its checkpoints are on, and what it has shown.
class DiskFaults : public testing::TestWithParam<int> {
 protected:
  // Starts it from its latest checkpoint, if there is one. Everything is made anew but for the disk
  // and what was shown.
  Status start(detail::Disturbances disturbances = {}) {
    detail::SimulatedCluster cluster(1, disturbances);
    detail::DirectoryCheckpointStore checkpoints(files_, "/data");
    detail::LocalMetadataStore metadata(files_, "/data");
    detail::MemoryStateStoreFactory states;
    const PlannedJob job = planned();
    auto running = cluster.start(job.plan, job.code,
                                 {.checkpoints = {.interval = 8ms, .tolerable_failures = 3},
                                  .checkpoint_store = &checkpoints,
                                  .metadata_store = &metadata,
                                  .state_stores = &states,
                                  .restore = detail::RestoreFromLatest{}});
    return running ? (*running)->result() : Status(running.error());
  }

  PlannedJob planned() {
    const auto describe = [this](Job& job) {
      const auto seen = job.from(test::events(kPattern, {.burst = 4, .pause = 1ms}))
                            .event_time(&test::Event::at, monotonic())
                            .key_by(&test::Event::partition, &test::Event::key)
                            .process<test::Witness>(kPattern);
      seen.to(collect(sightings_));
      seen.side_output(test::kAccounts).to(collect(accounts_));
    };
    auto job = test_support::plan_job(describe, {.parallelism = 2, .mode = Mode::kStreaming});
    check(job.has_value(), "the job cannot be planned");
    return *std::move(job);
  }

  void expect_exact() {
    test::Verdict verdict;
    test::SightingCheck check(kPattern, verdict);
    for (const test::Sighting& sighting : sightings_) check.add(sighting);
    check.finish();
    for (const test::Account& account : accounts_) check_account(kPattern, account, verdict);
    EXPECT_EQ(accounts_.size(), kPattern.partitions * kPattern.keys);
    EXPECT_TRUE(verdict.clean()) << verdict.text();
  }

  // A refusal names the file and says why.
  void expect_clear(const Status& refused) {
    EXPECT_THAT(refused.error().message(), HasSubstr("'/data"));
    EXPECT_THAT(refused.error().message(),
                AnyOf(HasSubstr("Input/output error"), HasSubstr("No space left")));
  }

  void fail(std::size_t call) {
    GetParam() == EIO ? files_.fail(call, EIO) : files_.fail_short(call, ENOSPC);
  }

  // Starts a job with the first call failing, another one with the second, up to the last.
  void sweep(const std::function<void()>& before) {
    std::size_t refused = 0;
    for (std::size_t call = 1;; ++call) {
      SCOPED_TRACE(call);
      memory_ = {};
      sightings_.clear();
      accounts_.clear();
      files_.fail(0, 0);
      before();
      const std::size_t shown = sightings_.size();
      fail(call);
      const Status status = start();
      if (!files_.failed() || HasFailure()) {
        EXPECT_TRUE(status);
        EXPECT_GT(call, 5 * refused) << "hardly any call was one of a checkpoint";
        return;
      }
      if (!status) {
        ++refused;
        expect_clear(status);
        EXPECT_EQ(sightings_.size(), shown) << "it was refused after it had begun";
        files_.fail(0, 0);
        ASSERT_TRUE(start());
      }
      expect_exact();
    }
  }

  test::MemoryFileSystem memory_;
  test::FaultFileSystem files_{memory_};
  std::vector<test::Sighting> sightings_;
  std::vector<test::Account> accounts_;
};

// What fails when the job begins is refused, and then nothing has happened yet.
TEST_P(DiskFaults, OfACheckpointAreDeclinedAndTheJobGoesOn) {
  sweep([] {});
}

TEST_P(DiskFaults, OfARestoreAreRefusedAndTheNextStartIsExact) {
  sweep([this] { ASSERT_FALSE(start({.dies_at = 20ms})); });
}

INSTANTIATE_TEST_SUITE_P(Each, DiskFaults, testing::Values(EIO, ENOSPC),
                         [](const auto& test) { return test.param == EIO ? "Error" : "Full"; });

}  // namespace
}  // namespace millrace
