// Submitting programs, in this process and by the program itself.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "faults/child_process.h"
#include "millrace/core/sha256.h"
#include "millrace/core/text.h"
#include "tools/cluster_fixture.h"

namespace millrace {
namespace {

using detail::JobPhase;
using test_support::Outcome;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;
using namespace std::chrono_literals;

class SubmitCommandTest : public test_support::ClusterCommandTest {
 protected:
  void SetUp() override {
    ClusterCommandTest::SetUp();
    program_ = script("printf 'description %s' \"$*\"");
  }

  std::string script(const std::string& body) {
    const std::string path = directory_.file("program", "#!/bin/sh\n" + body);
    chmod(path.c_str(), 0755);
    return path;
  }

  faults::Command command(std::vector<std::string> words) {
    words.insert(words.begin(), MILLRACE_PROGRAM);
    return {words, {{"MILLRACE_REST", server_->address()}}, directory_.path("said")};
  }

  test::TemporaryDirectory directory_;
  std::string program_;
};

TEST_F(SubmitCommandTest, SubmitsAProgram) {
  const Outcome outcome =
      run({"submit", "--detached", "--parallelism=3", "--name=mine", "--restore=saves/a",
           "--allow-dropped-state", program_, "--", "--input=a b", "--x"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, MatchesRegex("[0-9a-f]{32}\n"));
  EXPECT_THAT(outcome.err, IsEmpty());
  const auto submissions = control_.submissions();
  ASSERT_EQ(submissions.size(), 1);
  Sha256 digest;
  digest.add(directory_.read("program"));
  EXPECT_EQ(submissions[0].id + "\n", outcome.out);
  EXPECT_EQ(submissions[0].artifact, digest.take());
  EXPECT_EQ(submissions[0].name, "mine");
  EXPECT_EQ(submissions[0].arguments, (std::vector<std::string>{"--input=a b", "--x"}));
  EXPECT_EQ(submissions[0].description, "description --plan=submission --input=a b --x");
  EXPECT_EQ(submissions[0].directory, std::filesystem::current_path().native());
  EXPECT_EQ(submissions[0].parallelism, 3);
  EXPECT_EQ(submissions[0].restore, std::filesystem::current_path().native() + "/saves/a");
  EXPECT_TRUE(submissions[0].allow_dropped_state);
  EXPECT_FALSE(submissions[0].allow_repeated_output);
}

TEST_F(SubmitCommandTest, GivesItsSettingsToTheJob) {
  const Outcome outcome =
      run({"submit", "--detached", "-D", "parallelism.default=3", program_, "--", "--input=a"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_EQ(control_.submissions().size(), 1);
  EXPECT_THAT(control_.submissions()[0].arguments,
              testing::ElementsAre("-D", "parallelism.default=3", "--input=a"));
}

TEST_F(SubmitCommandTest, UploadsAProgramOnce) {
  EXPECT_EQ(run({"submit", "--detached", program_}).code, 0);
  EXPECT_EQ(run({"submit", "--detached", program_}).code, 0);
  EXPECT_EQ(control_.artifact_bytes(), directory_.read("program").size());
  EXPECT_EQ(control_.submissions().size(), 2);
}

TEST_F(SubmitCommandTest, IsOneJobForOneId) {
  const std::string id = concat("--job-id=", kId);
  EXPECT_EQ(run({"submit", "--detached", id, program_}).out, concat(kId, "\n"));
  EXPECT_EQ(run({"submit", "--detached", id, program_}).code, 0);
  EXPECT_EQ(control_.submissions().size(), 1);
  const Outcome other = run({"submit", "--detached", id, program_, "--", "a"});
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, HasSubstr("is another one"));
  EXPECT_EQ(run({"submit", "--job-id=mine", program_}).code, 2);
}

TEST_F(SubmitCommandTest, WaitsUntilTheJobHasEnded) {
  control_.set_phase_of_submitted(JobPhase::kWaiting);
  std::thread cluster([&] {
    while (control_.submissions().empty()) std::this_thread::sleep_for(1ms);
    for (const JobPhase phase : {JobPhase::kRunning, JobPhase::kFinished}) {
      std::this_thread::sleep_for(300ms);
      control_.change_job(kId, [&](detail::JobReport& job) { job.phase = phase; });
    }
  });
  const Outcome outcome = run({"submit", concat("--job-id=", kId), "--name=mine", program_});
  cluster.join();
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, concat("job ", kId, " mine\n"));
  EXPECT_EQ(outcome.err, concat("job ", kId, " is waiting\njob ", kId, " is running\njob ", kId,
                                " is finished\n"));
}

TEST_F(SubmitCommandTest, EndsAsTheJobDoes) {
  const std::pair<JobPhase, int> ends[] = {{JobPhase::kFinished, 0},
                                           {JobPhase::kStopped, 0},
                                           {JobPhase::kCancelled, 1},
                                           {JobPhase::kFailed, 1}};
  for (const auto& [phase, code] : ends) {
    control_.set_phase_of_submitted(phase);
    EXPECT_EQ(run({"submit", program_}).code, code);
  }
}

TEST_F(SubmitCommandTest, SubmitsNothingThatIsNoProgram) {
  const auto error = [&](const std::string& program, int code) {
    const Outcome outcome = run({"submit", program});
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_THAT(outcome.out, IsEmpty());
    return outcome.err;
  };
  EXPECT_THAT(error("nowhere", 2), StartsWith("millrace submit: PROGRAM 'nowhere' does not exist"));
  EXPECT_THAT(error(directory_.path(), 2), HasSubstr("is a directory"));
  EXPECT_THAT(error(directory_.file("text", "a"), 2), HasSubstr("chmod +x"));
  EXPECT_THAT(error(script("echo no input >&2; exit 3"), 1),
              HasSubstr("ended with 3 and said:\nno input"));
  EXPECT_THAT(error(script("echo nonsense"), 1),
              HasSubstr("the description is none: is the program a job of Millrace?"));
  EXPECT_TRUE(control_.submissions().empty());
}

TEST_F(SubmitCommandTest, FindsTheLeaderFromAStandby) {
  test::MemoryClusterControl standby;
  standby.set_leader({.rest_address = server_->address()});
  const auto waiting = test_support::serve(standby);
  EXPECT_EQ(
      run_as_it_is({"submit", "--detached", "--rest=127.0.0.1:1," + waiting->address(), program_})
          .code,
      0);
  EXPECT_EQ(control_.submissions().size(), 1);
}

TEST_F(SubmitCommandTest, OutlastsAChangeOfTheLeader) {
  patience_.whole = 30s;
  const std::uint16_t port = server_->port();
  const std::string rest = concat("--rest=", server_->address());
  server_.reset();
  std::thread cluster([&] {
    std::this_thread::sleep_for(300ms);
    server_ = test_support::serve(control_, port);
  });
  const Outcome outcome = run_as_it_is({"submit", "--detached", rest, program_});
  cluster.join();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err,
              AllOf(StartsWith("millrace: no coordinator answers"), EndsWith("trying for 30s\n")));
  EXPECT_EQ(control_.submissions().size(), 1);
}

TEST_F(SubmitCommandTest, IsACommandOfTheProgram) {
  faults::ChildProcess process(command({"submit", "--detached", program_}));
  const auto exit = process.wait_for(30s);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, 0);
  EXPECT_THAT(faults::content_of(directory_.path("said")), MatchesRegex("[0-9a-f]{32}\n"));
}

TEST_F(SubmitCommandTest, LeavesTheJobWhenItIsInterrupted) {
  faults::ChildProcess process(command({"submit", program_}));
  while (faults::content_of(directory_.path("said")).find("running") == std::string::npos) {
    std::this_thread::sleep_for(10ms);
  }
  process.signal(SIGINT);
  const auto exit = process.wait_for(30s);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, 130);
  const std::string id = control_.submissions().at(0).id;
  EXPECT_THAT(faults::content_of(directory_.path("said")),
              HasSubstr(concat("interrupted; job ", id, " goes on: millrace cancel ", id)));
  EXPECT_EQ(control_.job(id)->phase, JobPhase::kRunning);
}

TEST_F(SubmitCommandTest, IsListedByTheProgram) {
  faults::ChildProcess process(command({"--help"}));
  ASSERT_TRUE(process.wait_for(30s));
  EXPECT_THAT(faults::content_of(directory_.path("said")),
              AllOf(HasSubstr("  state "), HasSubstr("  submit "), HasSubstr("  logs ")));
}

}  // namespace
}  // namespace millrace
