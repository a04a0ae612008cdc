// What the actor of a job does about the hosts of the slots that it was given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include "millrace/actors/job_actor.h"
#include "millrace/actors/system_config.h"
#include "millrace/core/text.h"
#include "plan/sample_plans.h"
#include "support/actor_probe.h"
#include "support/memory_stores.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

const std::string kJob(32, 'a');
const std::string kOne = kJob + "-1";
const std::string kTwo = kJob + "-2";
const std::string kThree = kJob + "-3";

// source-1 -> sink-1 in one task of two subtasks.
ExecutionPlan two_subtasks() {
  PlanBuilder builder = line({});
  builder.set_parallelism(2);
  return *make_execution_plan(*builder.build());
}

// The job asks for two slots.
class JobHostsTest : public testing::Test {
 protected:
  using Host = ActorProbe<OpenTasks, StartTasks, CloseTasks>;

  ~JobHostsTest() override {
    caf::anon_send_exit(job_, caf::exit_reason::kill);
    caf::scoped_actor(system_)->wait_for(job_);  // its calls use what goes with the test
    executor_.finish();
  }

  void start() {
    execution_.checkpoint_store = &checkpoints_;
    execution_.metadata_store = &stores_;
    execution_.restart = FixedDelayRestart{5, 1ms};
    job_ = system_.spawn<JobActor>(
        std::make_shared<const ExecutionPlan>(two_subtasks()),
        JobActorSettings{.clock = &clock_,
                         .executor = &executor_,
                         .execution = execution_,
                         .slots = slots_.actor(),
                         .key = kJob,
                         .watch = [views = views_](const JobView& view) { views->add(view); },
                         .report = [ends = ends_](Status status) { ends->add(status); }});
    slots_.send(job_, StartJob{});
    ASSERT_TRUE(slots_.next<NeedSlots>());
    slots_.send(job_, SlotsGranted{{kOne, kTwo}});
  }
  void report(Host& host, const std::string& identity) {
    host.send(job_, HostReady{.address = {identity, "10.0.0.1", 1}});
  }
  void run() {
    start();
    report(one_, kOne);
    report(two_, kTwo);
    for (Host* const host : {&one_, &two_}) {
      const std::optional<OpenTasks> order = host->next<OpenTasks>();
      ASSERT_TRUE(order);
      host->send(job_, TaskOpened{{order->tasks.front().subtask, order->attempt}});
    }
    ASSERT_TRUE(one_.next<StartTasks>());
    ASSERT_TRUE(two_.next<StartTasks>());
  }
  // The next failure of which the job speaks.
  std::string trouble() {
    while (const std::optional<JobView> view = views_->next<JobView>()) {
      if (!view->trouble.empty()) return view->trouble;
    }
    return {};
  }

  SystemConfig config_{1};
  caf::actor_system system_{config_};
  SystemClock clock_;
  ExecutionSettings execution_;
  test_support::MemoryCheckpoints checkpoints_;
  test_support::MemoryMetadata stores_;
  ThreadExecutor executor_{1};
  std::shared_ptr<KeptMessages<JobView>> views_ = std::make_shared<KeptMessages<JobView>>();
  std::shared_ptr<KeptMessages<Status>> ends_ = std::make_shared<KeptMessages<Status>>();
  ActorProbe<NeedSlots, HostGivenUp> slots_{system_};
  Host one_{system_};
  Host two_{system_};
  caf::actor job_;
};

TEST_F(JobHostsTest, AreToCloseTheirTasksWhenTheirWorkerIsSilent) {
  run();
  slots_.send(job_, HostMissed{kTwo, unavailable("its worker is silent")});
  const std::optional<CloseTasks> closing = two_.next<CloseTasks>();
  ASSERT_TRUE(closing);
  EXPECT_EQ(closing->attempt, AttemptId(1));
  EXPECT_TRUE(two_.next<caf::exit_msg>());
  EXPECT_EQ(slots_.next<HostGivenUp>()->host, kTwo);
  EXPECT_TRUE(one_.next<CloseTasks>());
}

TEST_F(JobHostsTest, EndAJobThatHasNotRunWhereTheyRefuseIt) {
  start();
  slots_.send(job_, HostMissed{kOne, invalid_argument("it describes another job")});
  const std::optional<Status> end = ends_->next<Status>();
  ASSERT_TRUE(end);
  ASSERT_FALSE(*end);
  EXPECT_EQ(end->error(), invalid_argument("it describes another job"));
}

TEST_F(JobHostsTest, AreStartedAgainWhereTheyRefuseAJobThatHasRun) {
  run();
  one_.send(job_, TaskFailed{{SubtaskId(0), AttemptId(1)}, unavailable("cut")});
  one_.send(job_, TaskClosed{{SubtaskId(0), AttemptId(1)}});
  two_.send(job_, TaskClosed{{SubtaskId(1), AttemptId(1)}});
  ASSERT_TRUE(slots_.next<NeedSlots>());
  slots_.send(job_, SlotsGranted{{kOne, kThree}});
  slots_.send(job_, HostMissed{kThree, invalid_argument("it describes another job")});
  EXPECT_TRUE(slots_.next<NeedSlots>());
}

TEST_F(JobHostsTest, AreStartedAgainWhyeverALinkIsLostBeforeTheyHaveReported) {
  start();
  slots_.send(job_, HostLost{one_.actor(), kOne, cancelled("the other end is closing"), true});
  EXPECT_EQ(slots_.next<HostGivenUp>()->host, kOne);
  EXPECT_TRUE(slots_.next<NeedSlots>());
  EXPECT_EQ(trouble(), "the other end is closing");
}

TEST_F(JobHostsTest, AreGivenUpWhereTheyDoNotReportInTime) {
  execution_.slot_timeout = 50ms;
  start();
  report(one_, kOne);
  EXPECT_EQ(slots_.next<HostGivenUp>()->host, kTwo);
  EXPECT_TRUE(slots_.next<NeedSlots>());
  EXPECT_EQ(trouble(), concat("these of its processes have not reported within 50ms of being "
                              "started: ",
                              kTwo, " (slot.request.timeout)"));
  EXPECT_FALSE(slots_.next<HostGivenUp>(1ms)) << "the other one is well";
}

TEST_F(JobHostsTest, AreLeftAloneOnceAllHaveReported) {
  run();
  slots_.send(job_, SlotsTimedOut{1});
  EXPECT_FALSE(slots_.next<HostGivenUp>(50ms));
}

TEST_F(JobHostsTest, HaveTheirTimeFromTheLastGrantOn) {
  start();
  slots_.send(job_, HostMissed{kOne, unavailable("its process has ended")});
  ASSERT_TRUE(slots_.next<NeedSlots>());
  slots_.send(job_, SlotsGranted{{kThree, kTwo}});
  slots_.send(job_, SlotsTimedOut{1});
  EXPECT_FALSE(slots_.next<HostGivenUp>(50ms));
}

}  // namespace
}  // namespace millrace::detail
