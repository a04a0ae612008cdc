// Whole clusters of real processes: jobs run on them exactly, whichever process dies.
#include <gmock/gmock.h>

#include "cluster/cluster_fixture.h"

namespace millrace::test_support {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr test::EventPattern kShort{.seed = 7, .partitions = 4, .rounds = 20, .keys = 256};
constexpr test::EventPattern kLong{.seed = 8, .partitions = 4, .rounds = 200, .keys = 256};

TEST_F(Cluster, RunsAJobToItsEnd) {
  start();
  const std::string job = submit(kShort, 4);
  ASSERT_EQ(job.size(), 32) << job;
  wait_for(job, "finished");
  expect_exact(kShort);
  EXPECT_THAT(well({"list"}), AllOf(HasSubstr(job), HasSubstr("verified")));
  EXPECT_THAT(well({"describe", job}), HasSubstr("finished"));
  EXPECT_EQ(processes("--host=").size(), 0) << "hosts outlive their job";
}

TEST_F(Cluster, GoesOnWhenAJobProcessIsKilled) {
  start();
  const std::string job = submit(kLong, 4);
  for (int i = 0; i < 3; ++i) {
    wait_for(job, "checkpoint");
    kill_one("--host=");
    std::this_thread::sleep_for(300ms);
  }
  wait_for(job, "finished");
  expect_exact(kLong);
}

TEST_F(Cluster, GoesOnWhenAWorkerIsKilled) {
  start({"--workers=3"});
  const std::string job = submit(kLong, 4);
  wait_for(job, "checkpoint");
  kill_one("worker --dir");
  wait_for(job, "finished");
  expect_exact(kLong);
}

TEST_F(Cluster, StartsWhatHasDied) {
  start();
  const std::string job = submit(kLong, 4);
  wait_for(job, "checkpoint");
  kill_one("worker --dir");
  EXPECT_EQ(millrace({"cluster", "status", dir()}).status, 1);
  start();
  EXPECT_EQ(millrace({"cluster", "status", dir()}).status, 0);
  wait_for(job, "finished");
  expect_exact(kLong);
}

TEST_F(Cluster, GoesOnWhenItsLeaderIsKilled) {
  start({"--coordinators=2"});
  const std::string job = submit(kLong, 4);
  wait_for(job, "checkpoint");
  kill_one("--name=coordinator-1");
  start({"--coordinators=2"});
  wait_for(job, "finished");
  expect_exact(kLong);
}

TEST_F(Cluster, HasAJobWaitForSlots) {
  start({"--workers=1"});
  const std::string job = submit(kShort, 4);
  std::this_thread::sleep_for(500ms);
  EXPECT_THAT(well({"describe", job}), HasSubstr("waits for 4 slots: 2 of 2"));
  start({"--workers=2"});
  wait_for(job, "finished");
  expect_exact(kShort);
}

TEST_F(Cluster, RescalesARunningJob) {
  start();
  const std::string job = submit(kLong, 2);
  wait_for(job, "checkpoint");
  well({"rescale", job, "--parallelism=4"});
  wait_for(job, "checkpoint");
  EXPECT_THAT(well({"describe", job}), HasSubstr("4"));
  wait_for(job, "finished");
  expect_exact(kLong);
}

TEST_F(Cluster, CancelsAndStopsJobs) {
  start();
  const std::string first = submit(kLong, 2);
  wait_for(first, "checkpoint");
  well({"cancel", first});
  EXPECT_THAT(millrace({"wait", first, "--for=finished", "--timeout=30s"}).text,
              HasSubstr("cancelled"));
}

TEST_F(Cluster, GoesOnFromASavepoint) {
  start();
  const std::string first = submit(kLong, 2);
  wait_for(first, "checkpoint");
  const fs::path savepoints = root() / "savepoints";
  well({"stop", first, concat("--savepoint=", savepoints.native())});
  std::string path;
  for (const auto& entry : fs::directory_iterator(savepoints)) path = entry.path();
  ASSERT_FALSE(path.empty());
  const std::string second = submit(kLong, 4, "0", {concat("--restore=", path)});
  wait_for(second, "finished");
  expect_exact(kLong);
}

TEST_F(Cluster, TakesTheSameSubmissionOnce) {
  start();
  const std::string id(32, 'a');
  EXPECT_EQ(submit(kShort, 2, "0", {concat("--job-id=", id)}), id);
  EXPECT_EQ(submit(kShort, 2, "0", {concat("--job-id=", id)}), id);
  wait_for(id, "finished");
  expect_exact(kShort);
  const Said other = millrace({"submit", "--detached", concat("--job-id=", id), "--parallelism=1",
                               VERIFIED_JOB, "--", concat("--output=", shown().native())});
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.text, HasSubstr(id));
}

TEST_F(Cluster, RefusesWhatIsNoJob) {
  start({"--workers=1"});
  EXPECT_EQ(millrace({"submit", "/bin/true"}).status, 1);
  EXPECT_NE(millrace({"submit", (root() / "cluster").native()}).status, 0);
  EXPECT_EQ(millrace({"describe", std::string(32, 'b')}).status, 1);
}

}  // namespace
}  // namespace millrace::test_support
