// What the actors of a job and of a host do when another coordinator takes over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <atomic>
#include <functional>
#include <thread>

#include "millrace/actors/job_actor.h"
#include "millrace/actors/system_config.h"
#include "millrace/actors/task_host.h"
#include "plan/sample_plans.h"
#include "support/actor_probe.h"
#include "support/memory_stores.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kMark = 7;
const std::string kJob(32, 'a');
const std::string kHost = kJob + "-1";
const std::string kOther = kJob + "-2";

// source-1 -> sink-1 in one task of two subtasks.
ExecutionPlan two_subtasks() {
  PlanBuilder builder = line({});
  builder.set_parallelism(2);
  return *make_execution_plan(*builder.build());
}

TaskAddress task(std::uint32_t subtask, std::uint64_t attempt = 1) {
  return {SubtaskId(subtask), AttemptId(attempt)};
}

class ActorsTest : public testing::Test {
 protected:
  SystemConfig config_{1};
  caf::actor_system system_{config_};
  SystemClock clock_;
};

class TakeoverTest : public ActorsTest {
 protected:
  // Checkpoint 2 is complete, and attempt 1 the last one.
  TakeoverTest() {
    stores_.record = JobRecord{.version = 4,
                               .epoch = 1,
                               .attempt = 1,
                               .attempts = {1},
                               .next_checkpoint = 3,
                               .completed = {{CheckpointId(2), 1}},
                               .state = "running"};
  }
  ~TakeoverTest() override {
    caf::anon_send_exit(job_, caf::exit_reason::kill);
    caf::scoped_actor(system_)->wait_for(job_);  // its calls use what goes with the test
    executor_.finish();
  }

  void start(std::optional<Takeover> takeover = Takeover{kMark, 20s}) {
    ExecutionSettings execution{.checkpoint_store = &checkpoints_, .metadata_store = &stores_};
    execution.restart = restart_;
    if (takeover) execution.restore = RestoreFromLatest{};
    job_ = system_.spawn<JobActor>(std::make_shared<const ExecutionPlan>(two_subtasks()),
                                   JobActorSettings{.clock = &clock_,
                                                    .executor = &executor_,
                                                    .execution = std::move(execution),
                                                    .slots = slots_.actor(),
                                                    .has_run = takeover.has_value(),
                                                    .takeover = takeover,
                                                    .key = kJob,
                                                    .report = [this](Status) { ++reports_; }});
    slots_.send(job_, StartJob{});
  }
  void report(std::vector<HeldTask> tasks, std::uint64_t triggered = 2) {
    host_.send(job_, HostReady{.address = {kHost, "10.0.0.1", 1},
                               .plan = kMark,
                               .tasks = std::move(tasks),
                               .triggered = CheckpointId(triggered)});
  }
  static std::vector<HeldTask> running(std::uint64_t attempt = 1) {
    return {{task(0, attempt), TaskCondition::kRunning},
            {task(1, attempt), TaskCondition::kRunning}};
  }
  void expect_begun_anew() {
    const auto kept = slots_.next<KeepHosts>();
    ASSERT_TRUE(kept);
    EXPECT_THAT(kept->host_of, IsEmpty());
    EXPECT_TRUE(host_.next<caf::exit_msg>()) << "its tasks may not hear of the job any more";
  }

  std::atomic<int> reports_ = 0;  // of the job's end
  RestartSettings restart_ = FixedDelayRestart{5, 1ms};
  test_support::MemoryCheckpoints checkpoints_;
  test_support::MemoryMetadata stores_;
  ThreadExecutor executor_{1};
  ActorProbe<SeekHosts, KeepHosts, NeedSlots, HostGivenUp> slots_{system_};
  ActorProbe<OpenTasks, StartTasks, CloseTasks, CompleteCheckpoint, AbortCheckpoint> host_{system_};
  caf::actor job_;
};

TEST_F(TakeoverTest, AdoptsTasksThatRun) {
  start();
  EXPECT_EQ(slots_.next<SeekHosts>()->job, kJob);
  report(running(), 3);
  const auto kept = slots_.next<KeepHosts>();
  ASSERT_TRUE(kept);
  EXPECT_THAT(kept->host_of, ElementsAre(kHost, kHost));
  EXPECT_EQ(host_.next<CompleteCheckpoint>()->checkpoint, CheckpointId(2));
  EXPECT_EQ(host_.next<AbortCheckpoint>()->checkpoint, CheckpointId(3));
  EXPECT_EQ(stores_.record->attempt, 1U);
  EXPECT_EQ(stores_.record->epoch, 2U);
}

// Of a host that was cut off: its job has gone on elsewhere, and shown what it shows again.
TEST_F(TakeoverTest, AdoptsNoAttemptButTheLast) {
  stores_.record->attempt = 2;
  stores_.record->attempts = {2};
  start(Takeover{kMark, 100ms});
  report(running());
  expect_begun_anew();
}

TEST_F(TakeoverTest, HasNothingToDoWithWhoeverRunsAnotherAttempt) {
  start();
  ActorProbe<CloseTasks> former(system_);
  former.send(job_, HostReady{.address = {kOther, "10.0.0.2", 1},
                              .plan = kMark,
                              .tasks = running(7),
                              .triggered = CheckpointId(2)});
  report(running());
  EXPECT_THAT(slots_.next<KeepHosts>()->host_of, ElementsAre(kHost, kHost));
  EXPECT_TRUE(former.next<caf::exit_msg>());
}

TEST_F(TakeoverTest, BeginsAnewWhereATaskHasFailed) {
  start();
  report({{task(0), TaskCondition::kRunning}, {task(1), TaskCondition::kFailed}});
  expect_begun_anew();
}

TEST_F(TakeoverTest, BeginsAnewWhereAHostHadToDrain) {
  start();
  host_.send(job_, HostReady{.address = {kHost, "10.0.0.1", 1},
                             .plan = kMark,
                             .tasks = running(),
                             .triggered = CheckpointId(2),
                             .drained = true});
  expect_begun_anew();
}

TEST_F(TakeoverTest, BeginsAnewAfterSomeTime) {
  start(Takeover{kMark, 100ms});
  report({{task(0), TaskCondition::kRunning}});
  expect_begun_anew();
  report(running());
  EXPECT_TRUE(host_.next<caf::exit_msg>()) << "it has come too late";
}

TEST_F(TakeoverTest, GoesOnThoughAHostEndsThatHasNothing) {
  start();
  ASSERT_TRUE(slots_.next<SeekHosts>());
  slots_.send(job_, HostMissed{kOther, unavailable("it was being ended")});
  report(running());
  EXPECT_THAT(slots_.next<KeepHosts>()->host_of, ElementsAre(kHost, kHost));
}

TEST_F(TakeoverTest, LeavesTasksAloneWhereAnotherCoordinatorIsFaster) {
  start();
  ASSERT_TRUE(slots_.next<SeekHosts>());
  stores_.fail_write = [] { return Status(cancelled("another leads")); };
  report(running());
  caf::scoped_actor(system_)->wait_for(job_);
  EXPECT_FALSE(host_.next<caf::exit_msg>(1s));
}

// However long that takes: its hosts have all come.
TEST_F(TakeoverTest, LeavesTasksAloneWhileTheRecordCannotBeRead) {
  std::atomic<bool> answers = false;
  stores_.fail_read = [&] { return answers ? Status() : unavailable("no reply"); };
  start(Takeover{kMark, 50ms});
  report(running());
  EXPECT_FALSE(host_.next<caf::exit_msg>(1s));
  answers = true;
  EXPECT_THAT(slots_.next<KeepHosts>()->host_of, ElementsAre(kHost, kHost));
}

TEST_F(TakeoverTest, LeavesTasksAloneWhileTheRecordCannotBeWritten) {
  std::atomic<bool> answers = false;
  stores_.fail_write = [&] { return answers ? Status() : unavailable("no reply"); };
  start(Takeover{kMark, 50ms});
  report(running());
  EXPECT_FALSE(host_.next<caf::exit_msg>(1s));
  answers = true;
  EXPECT_THAT(slots_.next<KeepHosts>()->host_of, ElementsAre(kHost, kHost));
}

// The next leader would run it again.
TEST_F(TakeoverTest, HasNotEndedBeforeItsRecordSaysSo) {
  std::atomic<bool> answers = true;
  stores_.fail_write = [&] { return answers ? Status() : unavailable("no reply"); };
  start(std::nullopt);
  ASSERT_TRUE(slots_.next<NeedSlots>());
  answers = false;
  slots_.send(job_, CancelJob{});
  std::this_thread::sleep_for(1s);
  EXPECT_EQ(reports_, 0);
  answers = true;
  caf::scoped_actor(system_)->wait_for(job_);
  EXPECT_EQ(reports_, 1);
  EXPECT_EQ(stores_.record->state, "cancelled");
}

// The strategy of this job permits a few restarts, which are not used up.
TEST_F(TakeoverTest, WaitsForWhatKeepsTheJobWithoutARestart) {
  std::atomic<int> left = 3;
  stores_.fail_read = [&]() -> Status {
    if (left-- > 0) return unavailable("no reply");
    return {};
  };
  restart_ = NoRestart{};
  start(std::nullopt);
  EXPECT_TRUE(slots_.next<NeedSlots>());
}

// It has no tasks yet whose loss would be one.
TEST_F(TakeoverTest, MissesAHostThatWasHeardAndIsLostWhileOthersAreAwaited) {
  start(std::nullopt);
  ASSERT_TRUE(slots_.next<NeedSlots>());
  slots_.send(job_, SlotsGranted{{kHost, kOther}});
  report({});
  slots_.send(job_, HostLost{host_.actor(), kHost, unavailable("cut")});
  EXPECT_EQ(slots_.next<HostGivenUp>()->host, kHost);
  EXPECT_TRUE(slots_.next<NeedSlots>(5s));
}

TEST_F(TakeoverTest, MissesAHostWhoseLinkWasLostBeforeItWasHeard) {
  start(std::nullopt);
  ASSERT_TRUE(slots_.next<NeedSlots>());
  slots_.send(job_, SlotsGranted{{kHost, kHost}});
  slots_.send(job_, HostLost{host_.actor(), kHost, unavailable("cut")});
  EXPECT_EQ(slots_.next<HostGivenUp>()->host, kHost);
  EXPECT_TRUE(slots_.next<NeedSlots>());
}

TEST_F(TakeoverTest, HasNothingToDoWithHostsOfAnotherName) {
  start(std::nullopt);
  host_.send(job_, HostReady{{"nobody", "10.0.0.1", 1}});
  EXPECT_TRUE(host_.next<caf::exit_msg>());
}

// Its tasks are never made: it waits for ever for what they are to go on from.
class HeldTasksTest : public ActorsTest {
 protected:
  struct Never final : Executor {
    void execute(std::function<void()>) override {}
  };

  HeldTasksTest() {
    auto job = std::make_shared<const DeployedJob>(DeployedJob{two_subtasks(), {}});
    host_ = system_.spawn<TaskHost>(make_blueprints(job),
                                    TaskHostSettings{.clock = &clock_, .executor = &never_});
    self_.send(host_, Serve{self_.actor()});
    EXPECT_THAT(self_.next<HostReady>()->tasks, IsEmpty());
    self_.send(host_, OpenTasks{.attempt = AttemptId(1),
                                .origin = "somewhere",
                                .tasks = {{SubtaskId(0), {}}, {SubtaskId(1), {}}}});
  }
  ~HeldTasksTest() override { caf::anon_send_exit(host_, caf::exit_reason::user_shutdown); }

  HostReady ready() {
    self_.send(host_, Serve{self_.actor()});
    return self_.next<HostReady>().value_or(HostReady());
  }
  std::vector<TaskCondition> conditions() {
    std::vector<TaskCondition> all;
    for (const HeldTask& held : ready().tasks) all.push_back(held.condition);
    return all;
  }

  Never never_;
  ActorProbe<HostReady> self_{system_};
  caf::actor host_;
};

TEST_F(HeldTasksTest, RunOnceAllOfTheRegionAreOpen) {
  EXPECT_THAT(conditions(), ElementsAre(TaskCondition::kOpening, TaskCondition::kOpening));
  self_.send(host_, TaskOpened{task(0)});
  EXPECT_THAT(conditions(), ElementsAre(TaskCondition::kOpening, TaskCondition::kOpening));
  self_.send(host_, StartTasks{AttemptId(1)});
  EXPECT_THAT(conditions(), ElementsAre(TaskCondition::kRunning, TaskCondition::kRunning));
}

// What others have sent may be all that a task waits for.
TEST_F(HeldTasksTest, MayHaveFinishedOrFailedBeforeTheyAreToldToStart) {
  self_.send(host_, TaskFinished{task(0)});
  self_.send(host_, TaskFailed{task(1), unavailable("cut off")});
  self_.send(host_, StartTasks{AttemptId(1)});
  EXPECT_THAT(conditions(), ElementsAre(TaskCondition::kFinished, TaskCondition::kFailed));
}

TEST_F(HeldTasksTest, ObeyOneCoordinatorOnly) {
  ActorProbe<CloseTasks> former(system_);
  former.send(host_, Trigger{{.checkpoint = CheckpointId(9)}});
  former.send(host_, CloseTasks{AttemptId(1)});
  EXPECT_EQ(ready().triggered, CheckpointId(0));
  EXPECT_THAT(conditions(), ElementsAre(TaskCondition::kOpening, TaskCondition::kOpening));
}

TEST_F(HeldTasksTest, AreToldOfWithTheNewestCheckpointAndThatTheyDrain) {
  self_.send(host_, Trigger{{.checkpoint = CheckpointId(9)}});
  EXPECT_EQ(ready().triggered, CheckpointId(9));
  EXPECT_FALSE(ready().drained);
  self_.send(host_, Drain{});
  EXPECT_TRUE(ready().drained);
}

}  // namespace
}  // namespace millrace::detail
