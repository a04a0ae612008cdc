// A worker under a leader that the test plays: links, executables, processes.
#include "millrace/actors/worker_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "integration/scripted_leader.h"
#include "support/temporary_directory.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using detail::HostEnded;
using detail::HostId;
using detail::LogRead;
using detail::RegisterWorker;
using detail::StartHost;
using detail::StopHost;
using detail::WorkerProcess;
using test::TemporaryDirectory;
using test_support::Executable;
using test_support::ScriptedElection;
using test_support::ScriptedLeader;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kJob(32, 'a');

Executable script(const std::string& lines) { return Executable::of("#!/bin/sh\n" + lines); }

class WorkerProcessTest : public testing::Test {
 protected:
  WorkerProcessTest() { start_worker(); }

  void start_worker() {
    auto worker = WorkerProcess::start({.directory = directory_.path("worker"),
                                        .cluster = test_support::kCluster,
                                        .slots = 3,
                                        .cancellation_timeout = 500ms},
                                       election_, logging_);
    ASSERT_TRUE(worker) << worker.error().message();
    worker_ = *std::move(worker);
  }
  RegisterWorker registered() {
    const auto worker = leader_.next<RegisterWorker>();
    EXPECT_TRUE(worker);
    return worker.value_or(RegisterWorker());
  }
  void lead(std::uint64_t epoch = 1) {
    election_.lead(epoch, leader_.address());
    (void)registered();
  }
  StartHost order(std::uint64_t number, const Executable& executable) const {
    return {.host = {kJob, number},
            .artifact = executable.artifact,
            .artifact_bytes = executable.content.size(),
            .arguments = {"--n=1"},
            .directory = directory_.path(),
            .coordinator = "127.0.0.1:1"};
  }
  void start(std::uint64_t number, const Executable& executable) {
    leader_.keep(executable);
    leader_.tell(order(number, executable));
  }
  Error ended(std::uint64_t number) {
    for (;;) {
      const auto end = leader_.next<HostEnded>();
      if (!end) return internal("no host has ended");
      if (end->host.number == number) return end->error;
    }
  }
  void wait_for(const std::string& file) {
    EXPECT_TRUE(
        leader_.serve_until([&] { return std::filesystem::exists(directory_.path(file)); }));
  }

  TemporaryDirectory directory_;
  Logging logging_{LogLevel::kOff};
  ScriptedElection election_;
  ScriptedLeader leader_;
  std::unique_ptr<WorkerProcess> worker_;
};

TEST_F(WorkerProcessTest, RegistersWithTheLeader) {
  election_.lead(1, leader_.address());
  const RegisterWorker worker = registered();
  EXPECT_EQ(worker.slots, 3U);
  EXPECT_THAT(worker.hosts, IsEmpty());
}

TEST_F(WorkerProcessTest, RegistersAgainWhereTheSameProcessLeadsAnew) {
  lead();
  election_.lead(2, leader_.address());
  EXPECT_EQ(registered().slots, 3U);
}

TEST_F(WorkerProcessTest, FetchesAnExecutableOnceInPartsAndRunsItForEachHost) {
  lead();
  const Executable large = script("echo run $0 $2; exit 1\n#" + std::string(2'500'000, 'x'));
  start(1, large);
  start(2, large);
  EXPECT_THAT(ended(1).message(), AllOf(HasSubstr("host " + kJob + "-1: its process ended with"),
                                        HasSubstr("run "), HasSubstr("--n=1")));
  start(3, large);
  EXPECT_THAT(ended(3).message(), HasSubstr("--n=1"));
  EXPECT_EQ(leader_.parts_sent(), 3U);
  EXPECT_THAT(directory_.names("worker/artifacts"), ElementsAre(large.artifact));
}

TEST_F(WorkerProcessTest, RefusesAnExecutableOfAnotherHash) {
  lead();
  Executable forged = script("exit 1\n");
  forged.artifact = script("exit 2\n").artifact;
  start(1, forged);
  const Error error = ended(1);
  EXPECT_EQ(error.code(), ErrorCode::kCorruption);
  EXPECT_THAT(error.message(), HasSubstr("has the SHA-256"));
}

TEST_F(WorkerProcessTest, SaysThatTheLeaderHasNoSuchExecutable) {
  lead();
  leader_.tell(order(1, script("exit 1\n")));
  EXPECT_EQ(ended(1).code(), ErrorCode::kNotFound);
}

TEST_F(WorkerProcessTest, RefusesWhatIsNoProgram) {
  lead();
  start(1, Executable::of("not a program"));
  EXPECT_THAT(ended(1).message(), HasSubstr("is no program that this machine"));
}

TEST_F(WorkerProcessTest, RefusesADirectoryThatIsNotHere) {
  lead();
  const Executable executable = script("exit 1\n");
  leader_.keep(executable);
  StartHost nowhere = order(1, executable);
  nowhere.directory = directory_.path("none");
  leader_.tell(nowhere);
  EXPECT_THAT(ended(1).message(), AllOf(HasSubstr("cannot enter"), HasSubstr("none")));
}

TEST_F(WorkerProcessTest, SaysThatItsDiskTakesNothing) {
  lead();
  std::filesystem::remove_all(directory_.path("worker/hosts"));
  directory_.file("worker/hosts", "no folder");
  start(1, script("exit 1\n"));
  EXPECT_THAT(ended(1).message(), HasSubstr("worker/hosts"));
}

TEST_F(WorkerProcessTest, StopsAHost) {
  lead();
  start(1, script("touch started; sleep 100\n"));
  wait_for("started");
  leader_.tell(StopHost{{kJob, 1}});
  EXPECT_EQ(ended(1).code(), ErrorCode::kCancelled);
  leader_.tell(StopHost{{kJob, 1}});
  EXPECT_THAT(ended(1).message(), HasSubstr("no such host"));
}

TEST_F(WorkerProcessTest, KeepsItsHostsWhileTheLinkIsLost) {
  lead();
  start(1, script("touch started; sleep 100\n"));
  wait_for("started");
  leader_.cut();
  EXPECT_THAT(registered().hosts, ElementsAre(HostId{kJob, 1}));
}

TEST_F(WorkerProcessTest, ComesToAnotherLeaderWithItsHosts) {
  lead();
  start(1, script("touch started; sleep 100\n"));
  wait_for("started");
  ScriptedLeader next("next");
  election_.lead(2, next.address());
  EXPECT_THAT(next.next<RegisterWorker>()->hosts, ElementsAre(HostId{kJob, 1}));
  EXPECT_TRUE(leader_.hears_of_loss());
  next.tell(StopHost{{kJob, 1}});
  EXPECT_EQ(next.next<HostEnded>()->error.code(), ErrorCode::kCancelled);
}

TEST_F(WorkerProcessTest, IgnoresALeaderOfAnEarlierEpoch) {
  lead(2);
  ScriptedLeader earlier("earlier");
  election_.lead(1, earlier.address());
  election_.lead(3, "no address");
  EXPECT_FALSE(earlier.next<RegisterWorker>(200ms));
  start(1, script("exit 1\n"));
  EXPECT_THAT(ended(1).message(), HasSubstr("status 1"));
}

TEST_F(WorkerProcessTest, TriesALeaderThatIsNotThereYet) {
  std::string address;
  {
    ScriptedLeader gone("gone");
    address = gone.address();
  }
  election_.lead(1, address);
  std::this_thread::sleep_for(300ms);
  lead(2);
}

TEST_F(WorkerProcessTest, GivesALinkUpThatSaysWhatCannotBeRead) {
  lead();
  leader_.tell_bytes("garbage!");
  EXPECT_TRUE(leader_.hears_of_loss());
  EXPECT_EQ(registered().slots, 3U);
}

TEST_F(WorkerProcessTest, ShowsWhatHostsHaveSaid) {
  lead();
  start(1, script("echo one; echo two\n"));
  EXPECT_EQ(ended(1).code(), ErrorCode::kCancelled);
  leader_.tell(detail::ReadLog{7, kJob, 1'000});
  const auto logs = leader_.next<LogRead>();
  ASSERT_TRUE(logs);
  EXPECT_EQ(logs->request, 7U);
  EXPECT_EQ(logs->text, "==> " + kJob + "-1 <==\none\ntwo\n");
}

TEST_F(WorkerProcessTest, EndsItsHostsWithItselfAndSaysSo) {
  lead();
  start(1, script("touch started; sleep 100\n"));
  wait_for("started");
  worker_.reset();
  EXPECT_EQ(ended(1).code(), ErrorCode::kCancelled);
  EXPECT_TRUE(leader_.hears_of_loss());
}

TEST_F(WorkerProcessTest, CleansUpBehindAHost) {
  lead();
  start(1, script("exit 1\n"));
  (void)ended(1);
  for (int i = 0; i < 1'000 && !directory_.names("worker/hosts").empty(); ++i) {
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_THAT(directory_.names("worker/hosts"), IsEmpty());
}

TEST_F(WorkerProcessTest, NeedsADirectoryOfItsOwn) {
  const auto second = WorkerProcess::start(
      {.directory = directory_.path("worker"), .cluster = test_support::kCluster}, election_,
      logging_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("is the directory of a worker that runs"));
}

TEST_F(WorkerProcessTest, KeepsItsName) {
  const std::string id = worker_->id();
  worker_.reset();
  start_worker();
  EXPECT_EQ(worker_->id(), id);
}

}  // namespace
}  // namespace millrace
