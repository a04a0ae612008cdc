// Whole clusters of real processes: jobs run on them exactly, whichever process dies.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <set>

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
  kill_worker_at_work();
  wait_for(job, "finished");
  expect_exact(kLong);
}

// Commands look at what the processes do, not at what they say of it.
TEST_F(Cluster, StartsThoughItsLogsSayNothing) {
  start({"-D", "log.level=error"});
  wait_for(submit(kShort, 4, "0"), "finished");
  expect_exact(kShort);
}

TEST_F(Cluster, StartsWhatHasDied) {
  start();
  const std::string job = submit(kLong, 4);
  wait_for(job, "checkpoint");
  kill_worker_at_work();
  EXPECT_EQ(millrace({"cluster", "status", dir()}).status, 1);
  start();
  EXPECT_EQ(millrace({"cluster", "status", dir()}).status, 0);
  wait_for(job, "finished");
  expect_exact(kLong);
}

// What the shared directory has of its state is of no use, so it can only be the worker's copies
// that the job goes on from.
TEST_F(Cluster, GoesOnFromTheCopiesOfAWorkerThatReturns) {
  const Words size{"--workers=1"};
  start(size);
  parameters_ = {"--ballast=2000"};
  const std::string job = submit(kLong, 2);
  wait_for(job, "checkpoint");
  wait_for_another_checkpoint(job);
  kill_worker_at_work();
  wait_until([&] { return processes("--host=").empty(); });
  std::set<std::string> copies;
  std::size_t damaged = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root() / "cluster")) {
    const std::string path = entry.path().parent_path();
    if (path.ends_with("/copies/" + job)) copies.insert(entry.path().filename());
  }
  for (const auto& entry : fs::recursive_directory_iterator(root() / "cluster")) {
    if (entry.path().parent_path().filename() != "shared") continue;
    if (!copies.contains(entry.path().filename())) continue;
    fs::remove(entry.path());  // a copy may be the same file by another name
    std::ofstream(entry.path()) << "damaged";
    ++damaged;
  }
  ASSERT_GT(damaged, 0);
  start(size);
  wait_for(job, "finished");
  expect_exact(kLong);
}

TEST_F(Cluster, ShowsWhatTasksHaveDone) {
  start();
  const test::EventPattern endless{.seed = 8, .partitions = 4, .rounds = 100'000, .keys = 256};
  const std::string job = submit(endless, 4);
  wait_for(job, "checkpoint");
  const auto counted = [&] {
    const std::string text = well({"describe", job, "--json"});
    const std::size_t at = text.find("\"write-records\":");
    return at == std::string::npos ? 0 : std::atoi(&text[text.find(':', at) + 1]);
  };
  wait_until([&] { return counted() > 0; });
  const int before = counted();
  kill_one(leader());  // who comes next hears it too
  start();
  wait_until([&] { return counted() > before; });
  wait_for(job, "checkpoint");  // at once: those of before count
  const fs::path checkpoints = root() / "cluster" / "checkpoints" / job;
  wait_until([&] {
    return well({"describe", job}).find("  " + (checkpoints / "chk-").native()) !=
           std::string::npos;
  });
  well({"cancel", job});
}

// Its tasks run on: the new leader finds them, and restarts none.
TEST_F(Cluster, GoesOnWhenItsLeaderIsKilled) {
  start({"--coordinators=2"});
  const std::string job = submit(kLong, 4);
  for (int i = 0; i < 3; ++i) {
    wait_for(job, "checkpoint");
    kill_one(leader());
    start({"--coordinators=2"});
  }
  wait_for(job, "checkpoint");
  wait_for(job, "finished");
  EXPECT_THAT(well({"describe", job}), HasSubstr("attempt 1,")) << logs();
  expect_exact(kLong);
}

// Whatever the leader was about to do for a checkpoint, or for its first one.
class MortalLeader : public Cluster, public testing::WithParamInterface<const char*> {};

TEST_P(MortalLeader, DiesAtAStepOfACheckpoint) {
  program_ = MORTAL_MILLRACE;
  variables_ = {{"DIE_AT", GetParam()}, {"DIE_AFTER", "3"}};
  start({"--coordinators=2"});
  variables_.clear();
  const std::string job = submit(kLong, 4);
  wait_until(
      [&] { return processes("--name=coordinator-").empty(); });  // first one, then the other
  start({"--coordinators=2"});
  wait_for(job, "checkpoint");
  wait_for_another_checkpoint(job);
  wait_for(job, "finished");
  EXPECT_THAT(well({"describe", job}), HasSubstr("attempt 1,")) << logs();
  expect_exact(kLong);
}

INSTANTIATE_TEST_SUITE_P(Steps, MortalLeader,
                         testing::Values("checkpoint-triggered", "acknowledgement-heard",
                                         "metadata-written", "pointer-swapped", "completion-told",
                                         "metadata-removed", "unused-removed"),
                         [](const auto& step) {
                           std::string name = step.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

// The first leader dies of it; whoever asks hears of the next one that the job is there.
TEST_F(Cluster, TakesASubmissionOnceThoughItsLeaderDies) {
  program_ = MORTAL_MILLRACE;
  variables_ = {{"DIE_AT", "submission-kept"}, {"DIE_AFTER", "1"}};
  start({"--coordinators=2"});
  variables_.clear();
  const std::string id(32, 'b');
  EXPECT_THAT(submit(kShort, 4, "0", {concat("--job-id=", id)}), HasSubstr(id));
  EXPECT_EQ(processes("--name=coordinator-").size(), 1u);
  wait_for(id, "finished");
  EXPECT_THAT(well({"list"}), HasSubstr(id));
  EXPECT_THAT(well({"describe", id}), HasSubstr("attempt 1,")) << logs();
  expect_exact(kShort);
}

// Its record says that it has finished, and no result does yet.
TEST_F(Cluster, KnowsHowAJobHasEndedThoughItsLeaderDies) {
  program_ = MORTAL_MILLRACE;
  variables_ = {{"DIE_AT", "end-recorded"}, {"DIE_AFTER", "1"}};
  start({"--coordinators=2"});
  variables_.clear();
  const std::string job = submit(kShort, 4);
  wait_until([&] { return processes("--name=coordinator-").size() == 1; });
  wait_for(job, "finished");
  EXPECT_THAT(well({"describe", job}), HasSubstr("attempt 0,")) << "it was run again" << logs();
  expect_exact(kShort);
}

// The leader dies of the first acknowledgement of a checkpoint that is taken for that. The job goes
// on as it was, and does what it is asked for once more.
class MortalLeaderOfARequest : public Cluster, public testing::WithParamInterface<const char*> {};

TEST_P(MortalLeaderOfARequest, HasTheJobGoOn) {
  program_ = MORTAL_MILLRACE;
  variables_ = {{"DIE_AT", "acknowledgement-heard"}, {"DIE_AFTER", "1"}};
  start();
  variables_.clear();
  interval_ = "1h";
  const std::string job = submit(kLong, 2, "20000");
  wait_for(job, "running");
  const std::string detail = std::string_view(GetParam()) == "stop"
                                 ? concat("--savepoint=", (root() / "first").native())
                                 : "--parallelism=4";
  faults::ChildProcess asking({.words = {program_, GetParam(), job, detail},
                               .variables = {{"MILLRACE_REST", rest()}},
                               .output = root() / "asked"});
  wait_until([&] { return processes("--name=coordinator-").empty(); });
  asking.signal(SIGKILL);
  start();
  wait_until([&] { return running_attempt(job).has_value(); });
  EXPECT_EQ(running_attempt(job), 1) << logs();
  finish_at_once(job, kLong, 4);
}

INSTANTIATE_TEST_SUITE_P(Requests, MortalLeaderOfARequest, testing::Values("stop", "rescale"));

// There is none to take over: tasks go on, until it has come again.
TEST_F(Cluster, RunsOnWithoutALeader) {
  start();
  const std::string job = submit(kLong, 4);
  wait_for(job, "checkpoint");
  kill_one("coordinator-1");
  std::this_thread::sleep_for(1s);
  start();
  wait_for(job, "checkpoint");
  wait_for_another_checkpoint(job);
  wait_for(job, "finished");
  EXPECT_THAT(well({"describe", job}), HasSubstr("attempt 1,")) << logs();
  expect_exact(kLong);
}

TEST_F(Cluster, BeginsAnewWhereTasksHaveGoneWithTheLeader) {
  start({"--coordinators=2"});
  const std::string job = submit(kLong, 4);
  wait_for(job, "checkpoint");
  kill_one(leader());
  kill_one("--host=");
  start({"--coordinators=2"});
  wait_for(job, "checkpoint");
  wait_for_another_checkpoint(job);
  wait_for(job, "finished");
  EXPECT_THAT(well({"describe", job}), HasSubstr("attempt 2,")) << logs();
  expect_exact(kLong);
}

// A disk that was not mounted when the leader began, for instance.
TEST_F(Cluster, TriesAJobAgainThatItCannotGoOnWith) {
  const test::EventPattern pattern{.seed = 8, .partitions = 4, .rounds = 2'000, .keys = 256};
  const fs::path artifacts = root() / "cluster" / "artifacts";
  start();
  const std::string job = submit(pattern, 2);
  wait_for(job, "checkpoint");
  kill_one(leader());
  kill_one("--host=");
  fs::rename(artifacts, root() / "away");
  start();
  wait_until([&] {
    return millrace({"describe", job}).text.find("it cannot go on now") != std::string::npos;
  });
  fs::remove_all(artifacts);
  fs::rename(root() / "away", artifacts);
  wait_for(job, "running");
  wait_for_another_checkpoint(job);
  finish_at_once(job, pattern, 2);
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

Words adaptive_after(std::string_view stable) {
  return {"-D", "jobmanager.scheduler=adaptive", "-D",
          concat("jobmanager.adaptive-scheduler.resource-stabilization-timeout=", stable)};
}

// An adaptive job makes do with the slots that there are, and takes more when they come; it loses a
// worker, and is the better for a new one.
TEST_F(Cluster, HasAJobRunWithFewerSlotsUntilThereAreMore) {
  const Words adaptive = adaptive_after("500ms");
  start({"--workers=1"});
  const std::string job = submit(kLong, 4, "20000", adaptive);
  wait_for(job, "checkpoint");
  EXPECT_THAT(well({"describe", job}), HasSubstr("parallelism 2 of 4 wanted"));
  start({"--workers=2"});
  wait_until([&] { return well({"describe", job}).find("parallelism 4,") != std::string::npos; });
  wait_for_another_checkpoint(job);
  kill_worker_at_work();
  wait_until([&] { return well({"describe", job}).find("2 of 4") != std::string::npos; });
  wait_for_another_checkpoint(job);
  start({"--workers=2"});
  wait_until([&] { return well({"describe", job}).find("parallelism 4,") != std::string::npos; });
  wait_for(job, "finished");
  expect_exact(kLong);
}

// The slots of one new worker are enough for one of them, and neither waits for more.
TEST_F(Cluster, HasAdaptiveJobsTakeNoSlotTwice) {
  const Words adaptive = adaptive_after("500ms");
  start({"--workers=2"});
  std::map<std::string, std::string> jobs;  // and where they write
  const std::string busy = submit(kLong, 2, "20000");
  wait_for(busy, "running");
  for (const char* const name : {"first", "second"}) {
    shown_ = name;
    jobs[submit(kLong, 4, "20000", adaptive)] = name;
    if (jobs.size() == 1) wait_for(jobs.begin()->first, "running");  // in what is left
  }
  well({"cancel", busy});  // for the other one, which waits
  const auto count = [&](std::string_view part) {
    return std::ranges::count_if(jobs, [&](const auto& job) {
      return well({"describe", job.first}).find(part) != std::string::npos;
    });
  };
  wait_until([&] { return count("parallelism 2 of 4 wanted") == 2; });
  std::map<std::string, std::optional<int>> attempts;
  for (const auto& [job, where] : jobs) {
    wait_until([&] { return (attempts[job] = running_attempt(job)).has_value(); });
  }
  start({"--workers=3"});
  wait_until([&] { return count("parallelism 4,") == 1; });
  for (const Stopwatch since; since.seconds() < 3;) EXPECT_EQ(count("waits for"), 0) << logs();
  EXPECT_EQ(count("parallelism 4,"), 1);
  EXPECT_EQ(
      std::ranges::count_if(
          jobs, [&](const auto& job) { return running_attempt(job.first) == attempts[job.first]; }),
      1)
      << "it was restarted for slots that there are not";
  start({"--workers=4"});
  wait_until([&] { return count("parallelism 4,") == 2; });
  for (const auto& [job, where] : jobs) {
    shown_ = where;
    wait_for(job, "finished");
    expect_exact(kLong);
  }
}

// Also to what it has: it grows no more.
TEST_F(Cluster, HasAnAdaptiveJobStayAtWhatItIsRescaledTo) {
  const Words adaptive = adaptive_after("200ms");
  start({"--workers=1"});
  const std::string job = submit(kLong, 4, "20000", adaptive);
  wait_for(job, "checkpoint");
  EXPECT_THAT(well({"describe", job}), HasSubstr("parallelism 2 of 4 wanted"));
  const std::optional<int> attempt = running_attempt(job);
  well({"rescale", job, "--parallelism=2"});
  EXPECT_THAT(well({"describe", job}), HasSubstr("parallelism 2,"));
  start({"--workers=2"});
  std::this_thread::sleep_for(2s);
  EXPECT_THAT(well({"describe", job}), HasSubstr("parallelism 2,"));
  EXPECT_EQ(running_attempt(job), attempt);
  finish_at_once(job, kLong, 4);
}

TEST_F(Cluster, RescalesARunningJob) {
  start();
  const std::string job = submit(kLong, 2);
  wait_for(job, "checkpoint");
  well({"rescale", job, "--parallelism=4"});
  wait_for_another_checkpoint(job);
  EXPECT_THAT(well({"describe", job}), HasSubstr("4"));
  wait_for(job, "finished");
  expect_exact(kLong);
}

// Each of its checkpoints has records in flight, but the one that it is rescaled from.
TEST_F(Cluster, RescalesAJobWhoseBarriersOvertakeRecords) {
  start({"--workers=3"});
  const test::EventPattern pattern{.seed = 11, .partitions = 4, .rounds = 500, .keys = 256};
  const std::string job =
      submit(pattern, 2, "1000", {}, {"execution.checkpointing.aligned-timeout=0ms"});
  for (const char* const parallelism : {"4", "1", "3"}) {
    wait_for_another_checkpoint(job);
    well({"rescale", job, concat("--parallelism=", parallelism)});
    const std::string text = well({"describe", job});
    EXPECT_THAT(text, HasSubstr(concat("parallelism ", parallelism, ","))) << text;
    EXPECT_THAT(text, testing::Not(HasSubstr("failed"))) << text;
  }
  wait_for_another_checkpoint(job);
  kill_one("--host=");
  wait_for(job, "finished");
  expect_exact(pattern);
}

TEST_F(Cluster, CancelsAndStopsJobs) {
  start();
  const std::string first = submit(kLong, 2);
  wait_for(first, "checkpoint");
  well({"cancel", first});
  EXPECT_THAT(millrace({"wait", first, "--for=finished", "--timeout=30s"}).text,
              HasSubstr("cancelled"));
  well({"cancel", first});  // once more, as when an answer was lost
}

TEST_F(Cluster, GoesOnFromASavepoint) {
  start();
  const std::string first = submit(kLong, 2);
  wait_for(first, "checkpoint");
  finish_at_once(first, kLong, 4);
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

// Looks at a directory until it is asked for the longest time without anything new in it.
class OutputWatch {
 public:
  explicit OutputWatch(const fs::path& directory)
      : thread_([this, directory](const std::stop_token& stop) {
          std::size_t seen = 0;
          Stopwatch since;
          while (!stop.stop_requested()) {
            std::error_code ignored;
            const auto files = static_cast<std::size_t>(
                std::distance(fs::recursive_directory_iterator(directory, ignored), {}));
            if (files != seen) {
              since = Stopwatch();
              seen = files;
            }
            gap_ = std::max<double>(gap_, since.seconds());
            std::this_thread::sleep_for(10ms);
          }
        }) {}

  double longest_gap() {
    thread_.request_stop();
    thread_.join();
    return gap_;
  }

 private:
  double gap_ = 0;
  std::jthread thread_;
};

// Whatever user code does, it is its own job's process that ends, and its own job that fails.
TEST_F(Cluster, HasNoJobSufferFromAnother) {
  constexpr double kNoGap = 2;  // seconds: twenty checkpoints
  start();
  const test::EventPattern pattern{.seed = 9, .partitions = 2, .rounds = 2'000, .keys = 64};
  const std::string steady = submit(pattern, 1, "10000");
  wait_for(steady, "checkpoint");
  OutputWatch output(shown());
  const std::pair<const char*, const char*> ways[] = {{"segfault", "SIGSEGV"},
                                                      {"abort", "SIGABRT"},
                                                      {"overflow", "SIGSEGV"},
                                                      {"exit", "status 3"},
                                                      {"throw", "thrown by the job"}};
  for (const auto& [way, word] : ways) {
    SCOPED_TRACE(way);
    const std::string job = well({"submit", "--detached", "--parallelism=1", CRASHING_JOB, "--",
                                  concat("--how=", way), "-D", "restart-strategy.type=none"});
    EXPECT_EQ(millrace({"wait", job, "--for=finished", "--timeout=30s"}).status, 1);
    EXPECT_THAT(well({"describe", job}), AllOf(HasSubstr("failed"), HasSubstr(word)));
  }
  const std::string stuck = well({"submit", "--detached", "--parallelism=1", CRASHING_JOB, "--",
                                  "--how=loop", "-D", "task.cancellation.timeout=1s"});
  wait_for(stuck, "running");
  well({"cancel", stuck});
  EXPECT_THAT(millrace({"wait", stuck, "--for=finished", "--timeout=30s"}).text,
              HasSubstr("cancelled"));
  const double gap = output.longest_gap();
  EXPECT_LT(gap, kNoGap);
  EXPECT_EQ(running_attempt(steady), 1) << "it was restarted";
  finish_at_once(steady, pattern, 1);
  note("six jobs that end by their own fault: the longest time without output of another", 6,
       {gap});
}

}  // namespace
}  // namespace millrace::test_support
