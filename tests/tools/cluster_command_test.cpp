// What is asked of a cluster that runs jobs already.
#include "millrace/tools/cluster_command.h"

#include <cstdlib>
#include <thread>

#include "millrace/core/text.h"
#include "tools/cluster_fixture.h"

namespace millrace {
namespace {

using detail::JobPhase;
using test_support::ClusterCommandTest;
using test_support::Outcome;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using namespace std::chrono_literals;

TEST_F(ClusterCommandTest, ListsJobs) {
  put_job(JobPhase::kRunning);
  put_job(JobPhase::kFailed, "00000000000000000000000000000002", "a longer name");
  control_.change_job("00000000000000000000000000000002", [](detail::JobReport& job) {
    job.reason = "the disk is full";
    job.ended = job.started + 65s;
  });
  const Outcome outcome = run({"list"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(
      outcome.out,
      AllOf(StartsWith("ID                                NAME           PHASE    PARALLELISM  "
                       "CHECKPOINTS  TIME"),
            HasSubstr("00000000000000000000000000000001  fraud          running  2"),
            HasSubstr("00000000000000000000000000000002  a longer name  failed   2            "
                      "0            1min 5s"),
            HasSubstr("  the disk is full\n")));
}

TEST_F(ClusterCommandTest, ListsAsJson) {
  put_job(JobPhase::kRunning);
  EXPECT_THAT(run({"list", "--json"}).out,
              AllOf(StartsWith("{\"jobs\":[{\"jid\":\"0000"), HasSubstr("\"state\":\"RUNNING\"")));
  EXPECT_THAT(run({"describe", "fraud", "--json"}).out, HasSubstr("\"vertices\":[{"));
}

TEST_F(ClusterCommandTest, DescribesAJob) {
  put_job(JobPhase::kRestarting);
  control_.change_job(kId, [](detail::JobReport& job) {
    job.reason = "worker-2 is gone";
    job.completed_checkpoints = 3;
    job.tasks[0].hosts = {"worker-1", ""};
    job.tasks[0].records_out = 17;
    job.checkpoints = {{.id = 3, .path = "/c/3", .completed = Timestamp(5ms)},
                       {.id = 4, .failure = "declined"},
                       {.id = 5, .savepoint = true}};
  });
  const Outcome outcome = run({"describe", "fraud"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(
      outcome.out,
      AllOf(StartsWith(
                "job 00000000000000000000000000000001 fraud\n  restarting: worker-2 is gone\n"),
            HasSubstr("attempt 1, parallelism 2, 3 checkpoints completed\n"),
            HasSubstr("  savepoint 5  1970-01-01T00:00:00.000Z  in progress\n"
                      "  checkpoint 4  1970-01-01T00:00:00.000Z  failed: declined\n"
                      "  checkpoint 3  1970-01-01T00:00:00.000Z  /c/3\n"),
            HasSubstr("TASK    SUBTASKS  RECORDS IN  OUT  ON\n"
                      "source  2         0           17   worker-1, nowhere\n")));
}

TEST_F(ClusterCommandTest, FindsAJobByIdBeginningOrName) {
  put_job(JobPhase::kRunning, "abc00000000000000000000000000001", "one");
  put_job(JobPhase::kRunning, "abd00000000000000000000000000001", "two");
  put_job(JobPhase::kRunning, "bbd00000000000000000000000000001", "two");
  for (const char* word : {"abc00000000000000000000000000001", "abc", "one", "abd", "b"}) {
    EXPECT_EQ(run({"describe", word}).code, 0) << word;
  }
  const Outcome beginning = run({"describe", "ab"});
  EXPECT_EQ(beginning.code, 1);
  EXPECT_THAT(beginning.err,
              HasSubstr("'ab' may be any of 2 jobs: abc00000000000000000000000000001 'one' or "
                        "abd00000000000000000000000000001 'two'"));
  EXPECT_THAT(run({"describe", "two"}).err, HasSubstr("may be any of 2 jobs"));
  EXPECT_THAT(run({"describe", "three"}).err, HasSubstr("there is no job 'three'; millrace list"));
  EXPECT_THAT(run({"describe", kId}).err, HasSubstr("there is no job '0000"));
  EXPECT_EQ(run({"describe", ""}).code, 2);
}

TEST_F(ClusterCommandTest, WaitsUntilAJobRuns) {
  put_job(JobPhase::kStarting);
  std::thread cluster([&] {
    std::this_thread::sleep_for(100ms);
    control_.change_job(kId, [](detail::JobReport& job) { job.phase = JobPhase::kRunning; });
  });
  EXPECT_EQ(run({"wait", "fraud", "--for=running"}).code, 0);
  cluster.join();
}

TEST_F(ClusterCommandTest, WaitsForACheckpointAndForTheEnd) {
  put_job(JobPhase::kRunning);
  EXPECT_EQ(run({"wait", "fraud", "--for=checkpoint", "--timeout=50ms"}).code, 1);
  control_.change_job(kId, [](detail::JobReport& job) { job.completed_checkpoints = 1; });
  EXPECT_EQ(run({"wait", "fraud", "--for=checkpoint", "--timeout=50ms"}).code, 0);
  EXPECT_EQ(run({"wait", "fraud", "--timeout=50ms"}).code, 1);
  for (const JobPhase phase : {JobPhase::kFinished, JobPhase::kStopped}) {
    put_job(phase);
    EXPECT_EQ(run({"wait", "fraud"}).code, 0);
    EXPECT_EQ(run({"wait", "fraud", "--for=running"}).code, 0);
  }
}

TEST_F(ClusterCommandTest, SaysWhatTheJobWasInstead) {
  put_job(JobPhase::kWaiting);
  control_.change_job(kId, [](detail::JobReport& job) { job.reason = "2 slots are missing"; });
  const Outcome slow = run({"wait", "fraud", "--for=running", "--timeout=50ms"});
  EXPECT_EQ(slow.code, 1);
  EXPECT_THAT(slow.err, HasSubstr("did not come to running within 50ms: it is waiting: 2 slots are "
                                  "missing"));
  control_.change_job(kId, [](detail::JobReport& job) { job.phase = JobPhase::kFailed; });
  const Outcome failed = run({"wait", "fraud", "--for=checkpoint"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("will not come to checkpoint: it is failed: 2 slots"));
}

TEST_F(ClusterCommandTest, CancelsAJob) {
  put_job(JobPhase::kRunning);
  const Outcome outcome = run({"cancel", "fraud"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(control_.job(kId)->phase, JobPhase::kCancelled);
}

TEST_F(ClusterCommandTest, StopsAJobBehindASavepoint) {
  put_job(JobPhase::kRunning);
  const Outcome outcome = run({"stop", "fraud", "--savepoint=saves", "--drain"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "/saves/savepoint-1\n");
  const auto wish = control_.savepoint_wishes().at(0);
  EXPECT_EQ(wish.directory, std::filesystem::current_path().native() + "/saves");
  EXPECT_TRUE(wish.stop && wish.drain);
}

TEST_F(ClusterCommandTest, TakesASavepoint) {
  put_job(JobPhase::kRunning);
  EXPECT_EQ(run({"savepoint", "fraud"}).out, "/saves/savepoint-1\n");
  EXPECT_EQ(run({"savepoint", "fraud", "--dir=/a/../b"}).code, 0);
  const auto wishes = control_.savepoint_wishes();
  EXPECT_EQ(wishes.at(0).directory, "");
  EXPECT_FALSE(wishes.at(0).stop);
  EXPECT_EQ(wishes.at(1).directory, "/b");
}

TEST_F(ClusterCommandTest, WaitsForASavepointAndSaysThatItFailed) {
  put_job(JobPhase::kRunning);
  control_.set_savepoint({});
  std::thread cluster([&] {
    std::this_thread::sleep_for(100ms);
    control_.set_savepoint({.failure = "the disk is full"});
  });
  const Outcome outcome = run({"savepoint", "fraud"});
  cluster.join();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_EQ(outcome.err, "millrace savepoint: the savepoint failed: the disk is full\n");
}

TEST_F(ClusterCommandTest, RescalesAJob) {
  put_job(JobPhase::kRunning);
  EXPECT_EQ(run({"rescale", "fraud", "--parallelism=5"}).code, 0);
  EXPECT_EQ(control_.job(kId)->parallelism, 5);
}

TEST_F(ClusterCommandTest, PrintsLogs) {
  put_job(JobPhase::kRunning);
  EXPECT_EQ(run({"logs", "fraud"}).out, "first\nsecond\nthird\n");
  EXPECT_EQ(run({"logs", "fraud", "--lines=1"}).out, "third\n");
  control_.set_log("no end of line");
  EXPECT_EQ(run({"logs", "fraud"}).out, "no end of line\n");
}

TEST_F(ClusterCommandTest, FailsAsTheClusterSays) {
  put_job(JobPhase::kRunning);
  control_.fail_with(internal("a bug"));
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"list"},
                                             {"list", "--json"},
                                             {"describe", kId},
                                             {"describe", kId, "--json"},
                                             {"wait", kId},
                                             {"cancel", kId},
                                             {"stop", kId},
                                             {"savepoint", kId},
                                             {"logs", kId},
                                             {"rescale", kId, "--parallelism=1"},
                                             {"describe", "fraud"}}) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 1) << words[0];
    EXPECT_EQ(outcome.err, concat("millrace ", words[0], ": a bug\n"));
  }
}

TEST_F(ClusterCommandTest, SaysHowItIsUsed) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"describe"}, "JOB is missing"},
      {{"describe", "a", "b"}, "one word too many, 'b'"},
      {{"list", "a"}, "one word too many, 'a'"},
      {{"list", "--jsno"}, "there is no flag --jsno; is --json meant?"},
      {{"list", "--json=1"}, "--json takes no value"},
      {{"list", "--", "a"}, "nothing stands behind -- here, and not 'a'"},
      {{"wait", "a", "--for=ever"}, "expected running, checkpoint or finished"},
      {{"wait", "a", "--timeout=soon"}, "--timeout: "},
      {{"rescale", "a"}, "--parallelism=N is missing"},
      {{"rescale", "a", "--parallelism=0"}, "--parallelism=0: expected a whole number from 1"},
      {{"rescale", "a", "--parallelism=many"}, "--parallelism=many: expected"},
      {{"logs", "a", "--lines=0"}, "--lines=0: expected 1 or more"},
      {{"submit"}, "PROGRAM is missing"},
      {{"submit", "a", "b"}, "the program's own arguments stand behind --"},
      {{"submit", "a", "--input=b"}, "the program's own arguments stand behind --"},
  };
  for (const auto& [words, error] : wrong) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_THAT(outcome.err,
                AllOf(StartsWith(concat("millrace ", words[0], ": ")), HasSubstr(error),
                      HasSubstr(concat("try: millrace ", words[0], " --help"))));
  }
}

TEST_F(ClusterCommandTest, HelpsWithEachCommand) {
  for (const char* command :
       {"submit", "list", "describe", "wait", "cancel", "stop", "savepoint", "rescale", "logs"}) {
    const Outcome outcome = run_as_it_is({command, "--help"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, AllOf(StartsWith(concat("Usage: millrace ", command, " [FLAGS]")),
                                   HasSubstr("--rest=URL"), HasSubstr("Exit codes")));
    EXPECT_THAT(cluster_command_summaries(), HasSubstr(concat("  ", command, " ")));
  }
  EXPECT_EQ(run_as_it_is({"fly"}).code, -1);
  EXPECT_EQ(run_as_it_is({}).code, -1);
}

TEST_F(ClusterCommandTest, FindsTheClusterByFlagVariableOrOption) {
  const test::TemporaryDirectory directory;
  const std::string file = directory.file(
      "a.yaml", concat("rest.address: http://127.0.0.1:1,", server_->address(), "\n"));
  EXPECT_EQ(run_as_it_is({"list", "--config=" + file}).code, 0);
  EXPECT_EQ(run_as_it_is({"list", "-D", "rest.address=" + server_->address()}).code, 0);
  ASSERT_EQ(setenv("MILLRACE_REST", server_->address().c_str(), 1), 0);
  EXPECT_EQ(run_as_it_is({"list"}).code, 0);
  patience_.whole = 50ms;
  EXPECT_EQ(run_as_it_is({"list", "--rest=127.0.0.1:1"}).code, 1);
  ASSERT_EQ(setenv("MILLRACE_REST", "https://a", 1), 0);
  const Outcome outcome = run_as_it_is({"list"});
  unsetenv("MILLRACE_REST");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("MILLRACE_REST: the address 'https://a'"));
  EXPECT_THAT(run_as_it_is({"list", "--rest="}).err, HasSubstr("--rest: the address ''"));
  EXPECT_THAT(run_as_it_is({"list", "--config=/nowhere"}).err, HasSubstr("/nowhere"));
}

TEST_F(ClusterCommandTest, SaysThatNobodyAnswers) {
  patience_.whole = 50ms;
  const Outcome outcome = run_as_it_is({"list", "--rest=127.0.0.1:1,127.0.0.1:2"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("millrace list: no coordinator of the cluster answers: "
                                     "http://127.0.0.1:1 cannot be connected to; "
                                     "http://127.0.0.1:2 cannot be connected to"));
}

TEST_F(ClusterCommandTest, EndsWhenItIsInterrupted) {
  put_job(JobPhase::kRunning);
  patience_.interrupted = [] { return true; };
  EXPECT_EQ(run({"wait", "fraud"}).code, 130);
  control_.set_savepoint({});
  const Outcome outcome = run({"savepoint", "fraud"});
  EXPECT_EQ(outcome.code, 130);
  EXPECT_THAT(outcome.err, HasSubstr("the savepoint goes on without being waited for"));
}

TEST_F(ClusterCommandTest, SaysThatItCannotPrint) {
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::badbit);
  EXPECT_EQ(run_cluster_command(std::vector<std::string>{"list", "--rest=" + server_->address()},
                                {out, err, patience_}),
            1);
  EXPECT_THAT(err.str(), HasSubstr("cannot write to the standard output"));
}

}  // namespace
}  // namespace millrace
