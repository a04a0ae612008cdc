// Jobs whose hosts a worker starts as processes of their own: what they show is exact, and what
// ends them is said. The job's coordinator is in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "integration/scripted_leader.h"
#include "millrace/actors/hosted_cluster.h"
#include "millrace/coordination/worker/crash_page.h"
#include "millrace/core/units.h"
#include "millrace/plan/plan_codec.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/files/real_file_system.h"
#include "support/memory_stores.h"
#include "support/temporary_directory.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using detail::HostEnded;
using detail::StartHost;
using test::TemporaryDirectory;
using test_support::Executable;
using test_support::MemoryMetadata;
using test_support::ScriptedElection;
using test_support::ScriptedLeader;
using test_support::submission_of;
using testing::AllOf;
using testing::HasSubstr;

const std::string kJob(32, 'b');

struct Program {
  std::string path;
  std::vector<std::string> arguments;
};

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const bool logged = line.empty() || (line[0] >= '0' && line[0] <= '9') || line[0] == '=';
    if (!logged) lines.push_back(line);
  }
  std::ranges::sort(lines);
  return lines;
}

class WorkerJobsTest : public testing::Test {
 protected:
  WorkerJobsTest() {
    auto worker = detail::WorkerProcess::start({.directory = directory_.path("worker"),
                                                .cluster = test_support::kCluster,
                                                .slots = 2,
                                                .cancellation_timeout = 500ms},
                                               election_, logging_);
    check(worker.has_value(), "the worker starts");
    worker_ = *std::move(worker);
    election_.lead(1, leader_.address());
    check(leader_.next<detail::RegisterWorker>().has_value(), "the worker registers");
  }

  // Its coordinator waits for so many hosts.
  void submit(const Program& program, std::size_t hosts, detail::ExecutionSettings execution = {}) {
    program_ = program;
    submission_ = submission_of(program.path, program.arguments);
    executable_ = Executable::read(program.path);
    leader_.keep(executable_);
    auto cluster = detail::HostedCluster::make(
        {.cluster = test_support::kCluster, .identity = "coordinator", .threads = 1},
        {.hosts = hosts}, logging_);
    ASSERT_TRUE(cluster) << cluster.error().message();
    cluster_ = *std::move(cluster);
    const auto plan = detail::make_execution_plan(*detail::decode_logical_plan(submission_.plan));
    ASSERT_TRUE(plan);
    job_ = *cluster_->start(*plan, {}, execution);
  }
  StartHost order(std::uint64_t number) const {
    return {.host = {kJob, number},
            .artifact = executable_.artifact,
            .artifact_bytes = executable_.content.size(),
            .arguments = program_.arguments,
            .directory = directory_.path(),
            .plan = submission_.plan,
            .settings = submission_.settings,
            .coordinator = to_string(cluster_->address())};
  }
  Status result() {
    if (leader_.serve_until([&] { return job_->wait_for(0ms); })) return job_->result();
    return internal("the job took too long");
  }
  Error ended(std::uint64_t number) {
    for (;;) {
      const auto end = leader_.next<HostEnded>();
      if (!end) return internal("no host has ended");
      if (end->host.number == number) return end->error;
    }
  }
  void wait_until_at_work() {
    const std::string page = directory_.path(concat("worker/hosts/", kJob, "-1/crash-page"));
    EXPECT_TRUE(leader_.serve_until([&] {
      const auto report = detail::read_crash_page(page);
      return report && !report->at_work.empty();
    }));
  }
  std::string logs() {
    leader_.tell(detail::ReadLog{1, kJob, 1'000'000});
    const auto logs = leader_.next<detail::LogRead>();
    return logs ? logs->text : "";
  }
  Program crashing(const std::string& how) const {
    return {CRASHING_JOB,
            {"--how=" + how, "--marker=" + directory_.path("marker"), "--parallelism=1",
             "--mode=batch"}};
  }

  TemporaryDirectory directory_;
  Logging logging_{std::getenv("WORKER_LOG") != nullptr ? LogLevel::kDebug : LogLevel::kOff};
  ScriptedElection election_;
  ScriptedLeader leader_;
  std::unique_ptr<detail::WorkerProcess> worker_;
  Program program_;
  detail::Submission submission_;
  Executable executable_;
  detail::RealFileSystem files_;
  std::unique_ptr<detail::HostedCluster> cluster_;
  std::unique_ptr<detail::RunningJob> job_;
};

TEST_F(WorkerJobsTest, ShowTheSameOnOneHostAndOnTwoAsEmbedded) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "word" + std::to_string(i % 321) + " and ";
  const Program program{WORD_COUNT,
                        {"--input=" + directory_.file("text", text), "--parallelism=4"}};
  const auto expected = sorted_lines(
      test_support::output_of(test_support::in_command(program.path, program.arguments)));
  ASSERT_EQ(expected.size(), 322U);
  submit(program, 2);
  leader_.tell(order(1));
  leader_.tell(order(2));
  const Status status = result();
  ASSERT_TRUE(status) << status.error().message();
  for (const std::uint64_t number : {1, 2}) leader_.tell(detail::StopHost{{kJob, number}});
  EXPECT_EQ(ended(1).code(), ErrorCode::kCancelled);
  EXPECT_EQ(sorted_lines(logs()), expected);
}

TEST_F(WorkerJobsTest, SayHowTheirUsersCodeEndedThem) {
  const std::map<std::string, std::string> ends{{"segfault", "was ended by SIGSEGV"},
                                                {"abort", "was ended by SIGABRT"},
                                                {"overflow", "was ended by SIGSEGV"},
                                                {"exit", "ended with status 3"}};
  for (const auto& [how, end] : ends) {
    submit(crashing(how), 1);
    leader_.tell(order(1));
    const Error error = ended(1);
    EXPECT_EQ(error.code(), ErrorCode::kUserCode) << how;
    EXPECT_THAT(error.message(), AllOf(HasSubstr(end), HasSubstr("numbers -> fragile"),
                                       HasSubstr("subtask 1 of 1")));
    EXPECT_FALSE(result()) << how;
  }
}

TEST_F(WorkerJobsTest, TellTheirCoordinatorWhatUserCodeThrows) {
  submit(crashing("throw"), 1);
  leader_.tell(order(1));
  const Status status = result();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("thrown by the job"));
}

TEST_F(WorkerJobsTest, AreKilledWhereUserCodeNeverReturns) {
  submit(crashing("loop"), 1);
  leader_.tell(order(1));
  wait_until_at_work();
  leader_.tell(detail::StopHost{{kJob, 1}});
  EXPECT_EQ(ended(1).code(), ErrorCode::kCancelled);
  EXPECT_FALSE(result());
}

TEST_F(WorkerJobsTest, GoOnFromTheLastCheckpointInAnotherProcess) {
  detail::DirectoryCheckpointStore checkpoints(files_, directory_.path("checkpoints"));
  MemoryMetadata metadata;
  Program program = crashing("crash-once");
  program.arguments.push_back("--checkpoint-interval=20ms");
  program.arguments.push_back("--records=3000000");
  submit(program, 1,
         {.checkpoints = {.interval = 20ms},
          .restart = detail::FixedDelayRestart{.attempts = 10'000, .delay = 20ms},
          .checkpoint_store = &checkpoints,
          .metadata_store = &metadata});
  StartHost first = order(1);
  first.checkpoints = directory_.path("checkpoints");
  leader_.tell(first);
  EXPECT_THAT(ended(1).message(), HasSubstr("SIGSEGV"));
  StartHost second = first;
  second.host.number = 2;
  leader_.tell(second);
  const Status status = result();
  ASSERT_TRUE(status) << status.error().message();
  std::vector<std::string> expected;
  for (int key = 0; key < 10; ++key) {
    expected.push_back(concat("{\"key\":", key, ",\"count\":300000}"));
  }
  EXPECT_EQ(sorted_lines(logs()), expected);
}

TEST_F(WorkerJobsTest, RefuseAnotherPlanAndNameTheOperator) {
  submit(crashing("behave"), 1);
  StartHost other = order(1);
  other.arguments.push_back("--name=renamed");
  leader_.tell(other);
  const Error error = ended(1);
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("describes another job in this process"),
                                     HasSubstr("operator 'renamed' (map)")));
}

TEST_F(WorkerJobsTest, RefuseSettingsThatTheyDoNotKnow) {
  submit(crashing("behave"), 1);
  StartHost other = order(1);
  other.settings.push_back({"no.such-option", "1"});
  leader_.tell(other);
  EXPECT_THAT(ended(1).message(), HasSubstr("no.such-option"));
}

TEST_F(WorkerJobsTest, EndWhereTheirCoordinatorIsNotThere) {
  submit(crashing("behave"), 1);
  StartHost lost = order(1);
  lost.coordinator = "127.0.0.1:1";
  leader_.tell(lost);
  const Error error = ended(1);
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("connecting to 127.0.0.1:1"));
}

TEST_F(WorkerJobsTest, EndWithTheirWorkerAndOnlyTheirs) {
  submit(crashing("loop"), 1);
  leader_.tell(order(1));
  wait_until_at_work();
  worker_.reset();
  const Status status = result();
  ASSERT_FALSE(status);
}

}  // namespace
}  // namespace millrace
