#include "millrace/coordination/job_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = JobAction::Kind;
using Actions = JobStateMachine::Actions;

// A job of two regions, of two tasks and of one, that may be restarted twice.
class JobStateMachineTest : public testing::Test {
 protected:
  static constexpr std::size_t kBig = 0;
  static constexpr std::size_t kSmall = 1;
  static constexpr auto kDelay = 5s;

  static JobStateMachine made(RestartSettings restart = FixedDelayRestart{2, kDelay}) {
    return JobStateMachine({2, 1}, restart, Random(1));
  }
  static void run(JobStateMachine& job, std::size_t region) {
    EXPECT_THAT(job.allocated(region), ElementsAre(JobAction{Kind::kOpenTasks, region}));
    if (region == kBig) {
      EXPECT_THAT(job.task_opened(region), IsEmpty());
    }
    EXPECT_THAT(job.task_opened(region), ElementsAre(JobAction{Kind::kStartTasks, region}));
  }
  static JobStateMachine running(RestartSettings restart = FixedDelayRestart{2, kDelay}) {
    JobStateMachine job = made(restart);
    EXPECT_THAT(job.start(),
                ElementsAre(JobAction{Kind::kAllocate, kBig}, JobAction{Kind::kAllocate, kSmall}));
    run(job, kBig);
    EXPECT_EQ(job.state(), JobState::kStarting);
    run(job, kSmall);
    EXPECT_EQ(job.state(), JobState::kRunning);
    return job;
  }
  static JobStateMachine finished() {
    JobStateMachine job = running();
    EXPECT_THAT(job.task_finished(kBig), IsEmpty());
    EXPECT_THAT(job.task_finished(kSmall), IsEmpty());
    EXPECT_THAT(job.task_finished(kBig), ElementsAre(JobAction{Kind::kFinalCheckpoint}));
    return job;
  }
  static JobStateMachine finishing() {
    JobStateMachine job = finished();
    EXPECT_THAT(job.final_checkpoint_completed(), IsEmpty());
    EXPECT_THAT(job.task_committed_final(kBig), IsEmpty());
    EXPECT_THAT(job.task_committed_final(kBig), IsEmpty());
    EXPECT_THAT(
        job.task_committed_final(kSmall),
        ElementsAre(JobAction{Kind::kCloseTasks, kBig}, JobAction{Kind::kCloseTasks, kSmall}));
    EXPECT_EQ(job.state(), JobState::kFinishing);
    return job;
  }
  static void close_big(JobStateMachine& job, const Actions& last) {
    EXPECT_THAT(job.task_closed(kBig), IsEmpty());
    EXPECT_EQ(job.task_closed(kBig), last);
  }
  static void close_all(JobStateMachine& job) {
    close_big(job, {});
    EXPECT_THAT(job.task_closed(kSmall), ElementsAre(JobAction{Kind::kReport}));
    EXPECT_TRUE(job.ended());
  }
  // The big region fails and waits for its restart.
  static JobStateMachine waiting() {
    JobStateMachine job = running();
    EXPECT_THAT(job.task_failed(kBig, user_code("first"), 1s),
                ElementsAre(JobAction{Kind::kCloseTasks, kBig}));
    close_big(job, {{Kind::kWait, kBig, kDelay}});
    return job;
  }
};

TEST_F(JobStateMachineTest, DoesNotTryAgainWhatCannotBegin) {
  for (const Error& error : {invalid_argument("a"), unsupported("b"), corruption("c"),
                             not_found("d"), resource_exhausted("e")}) {
    JobStateMachine job = made();
    (void)job.start();
    run(job, kSmall);
    EXPECT_THAT(job.allocation_failed(kBig, error, 1s),
                ElementsAre(JobAction{Kind::kCloseTasks, kSmall}));
    EXPECT_EQ(job.state(), JobState::kFailing);
    EXPECT_EQ(job.result().error(), error);
    EXPECT_THAT(job.task_closed(kSmall), ElementsAre(JobAction{Kind::kReport}));
    EXPECT_TRUE(job.refused());
  }
  JobStateMachine later = running();
  EXPECT_THAT(later.task_failed(kBig, invalid_argument("a"), 1s),
              ElementsAre(JobAction{Kind::kCloseTasks, kBig}));
  EXPECT_EQ(later.state(), JobState::kRestarting);
}

TEST_F(JobStateMachineTest, DoesNotTryAgainWhatCannotBeginThoughItsStoreFailedBefore) {
  JobStateMachine job = made();
  (void)job.start();
  run(job, kSmall);
  EXPECT_THAT(job.allocation_failed(kBig, unavailable("store"), 1s),
              ElementsAre(JobAction{Kind::kWait, kBig, kDelay}));
  (void)job.delay_over(kBig);
  (void)job.allocated(kBig);
  (void)job.task_failed(kBig, not_found("no such file"), 2s);
  EXPECT_EQ(job.state(), JobState::kFailing);
}

TEST_F(JobStateMachineTest, DoesNotTryAgainWhereASourceHasNoInput) {
  JobStateMachine job = running();
  EXPECT_EQ(job.splits_failed(kSmall, not_found("no such file"), 1s).size(), 2U);
  EXPECT_EQ(job.state(), JobState::kFailing);
  JobStateMachine busy = running();
  EXPECT_THAT(busy.splits_failed(kSmall, unavailable("busy"), 1s),
              ElementsAre(JobAction{Kind::kCloseTasks, kSmall}));
  EXPECT_EQ(busy.state(), JobState::kRestarting);
}

TEST_F(JobStateMachineTest, StopsWithoutAnError) {
  JobStateMachine job = running();
  EXPECT_THAT(job.stop(), ElementsAre(JobAction{Kind::kCloseTasks, kBig},
                                      JobAction{Kind::kCloseTasks, kSmall}));
  EXPECT_EQ(job.state(), JobState::kStopping);
  EXPECT_THAT(job.stop(), IsEmpty());
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kStopped);
  EXPECT_TRUE(job.result());
}

TEST_F(JobStateMachineTest, FailsIfATaskFailsToCloseWhenItStops) {
  JobStateMachine job = running();
  (void)job.stop();
  EXPECT_THAT(job.task_failed(kBig, unavailable("close"), 1s), IsEmpty());
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kFailed);
  EXPECT_EQ(job.result().error(), unavailable("close"));
}

TEST_F(JobStateMachineTest, FinishesOnceAllTasksHaveCommittedTheFinalCheckpointAndClosed) {
  JobStateMachine job = finishing();
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kFinished);
  EXPECT_TRUE(job.result());
}

TEST_F(JobStateMachineTest, CountsNoCommitOfAFinalCheckpointThatIsNotComplete) {
  JobStateMachine job = finished();
  for (int i = 0; i < 2; ++i) EXPECT_THAT(job.task_committed_final(kBig), IsEmpty());
  EXPECT_THAT(job.task_committed_final(kSmall), IsEmpty());
  EXPECT_EQ(job.state(), JobState::kRunning);
}

TEST_F(JobStateMachineTest, RestartsOnlyTheRegionThatFailed) {
  JobStateMachine job = waiting();
  EXPECT_EQ(job.state(), JobState::kRestarting);
  EXPECT_THAT(job.delay_over(kBig), ElementsAre(JobAction{Kind::kAllocate, kBig}));
  run(job, kBig);
  EXPECT_EQ(job.state(), JobState::kRunning);
}

TEST_F(JobStateMachineTest, IgnoresWhatFollowsFromStoppingTheOthers) {
  JobStateMachine job = running();
  (void)job.task_failed(kBig, user_code("first"), 1s);
  EXPECT_TRUE(job.closing(kBig));
  EXPECT_THAT(job.task_failed(kBig, internal("from being stopped"), 1s), IsEmpty());
  EXPECT_THAT(job.task_opened(kBig), IsEmpty());
  EXPECT_THAT(job.task_finished(kBig), IsEmpty());
  close_big(job, {{Kind::kWait, kBig, kDelay}});
  EXPECT_FALSE(job.closing(kBig));
  EXPECT_THAT(job.task_failed(kBig, internal("late"), 1s), IsEmpty());
}

TEST_F(JobStateMachineTest, FailsWithTheLastErrorOnceItIsNotRestartedAnyMore) {
  JobStateMachine job = running();
  for (int i = 1; i <= 2; ++i) {
    (void)job.task_failed(kBig, user_code("before"), i * 1s);
    close_big(job, {{Kind::kWait, kBig, kDelay}});
    (void)job.delay_over(kBig);
    run(job, kBig);
  }
  EXPECT_THAT(
      job.task_failed(kSmall, user_code("last"), 9s),
      ElementsAre(JobAction{Kind::kCloseTasks, kBig}, JobAction{Kind::kCloseTasks, kSmall}));
  EXPECT_EQ(job.state(), JobState::kFailing);
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kFailed);
  EXPECT_EQ(job.result().error(), user_code("given up after 2 restarts: last"));
  EXPECT_FALSE(job.refused());
}

TEST_F(JobStateMachineTest, FailsWithTheErrorItselfWhereNothingIsRestarted) {
  JobStateMachine job = running(NoRestart{});
  (void)job.task_failed(kSmall, user_code("first"), 1s);
  EXPECT_THAT(job.task_failed(kBig, internal("second"), 1s), IsEmpty());
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kFailed);
  EXPECT_EQ(job.result().error(), user_code("first"));
}

TEST_F(JobStateMachineTest, DoesNotTryAgainWhereAnotherCoordinatorLeads) {
  JobStateMachine job = running();
  EXPECT_THAT(
      job.all_failed(cancelled("deposed"), 1s),
      ElementsAre(JobAction{Kind::kCloseTasks, kBig}, JobAction{Kind::kCloseTasks, kSmall}));
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kFailed);
  EXPECT_EQ(job.result().error(), cancelled("deposed"));
}

TEST_F(JobStateMachineTest, RestartsAllRegionsForWhatConcernsNoSingleOne) {
  JobStateMachine job = running(FixedDelayRestart{1, kDelay});
  EXPECT_THAT(
      job.all_failed(unavailable("a checkpoint"), 1s),
      ElementsAre(JobAction{Kind::kCloseTasks, kBig}, JobAction{Kind::kCloseTasks, kSmall}));
  EXPECT_THAT(job.task_closed(kSmall), ElementsAre(JobAction{Kind::kWait, kSmall, kDelay}));
  close_big(job, {{Kind::kWait, kBig, kDelay}});
  EXPECT_EQ(job.state(), JobState::kRestarting);
}

TEST_F(JobStateMachineTest, WaitsWithTheFinalCheckpointForARegionThatRestarts) {
  JobStateMachine job = waiting();
  EXPECT_THAT(job.task_finished(kSmall), IsEmpty());
  (void)job.delay_over(kBig);
  run(job, kBig);
  EXPECT_THAT(job.task_finished(kBig), IsEmpty());
  EXPECT_THAT(job.task_finished(kBig), ElementsAre(JobAction{Kind::kFinalCheckpoint}));
}

TEST_F(JobStateMachineTest, TakesTheFinalCheckpointAgainWhenACommitFailed) {
  JobStateMachine job = finished();
  (void)job.final_checkpoint_completed();
  EXPECT_THAT(job.task_committed_final(kSmall), IsEmpty());
  EXPECT_THAT(job.task_failed(kBig, unavailable("no commit"), 1s),
              ElementsAre(JobAction{Kind::kCloseTasks, kBig}));
  close_big(job, {{Kind::kWait, kBig, kDelay}});
  (void)job.delay_over(kBig);
  run(job, kBig);
  EXPECT_THAT(job.task_finished(kBig), IsEmpty());
  EXPECT_THAT(job.task_finished(kBig), ElementsAre(JobAction{Kind::kFinalCheckpoint}));
  (void)job.final_checkpoint_completed();
  for (int i = 0; i < 2; ++i) EXPECT_THAT(job.task_committed_final(kBig), IsEmpty());
  EXPECT_EQ(job.task_committed_final(kSmall).size(), 2U) << "all committed: close both regions";
}

TEST_F(JobStateMachineTest, RestartsAnAttemptThatCouldNotBeAllocated) {
  JobStateMachine job = running(FixedDelayRestart{2, kDelay});
  (void)job.task_failed(kSmall, user_code("first"), 1s);
  EXPECT_EQ(job.task_closed(kSmall).size(), 1U);
  (void)job.delay_over(kSmall);
  EXPECT_THAT(job.allocation_failed(kSmall, unavailable("store"), 2s),
              ElementsAre(JobAction{Kind::kWait, kSmall, kDelay}));
  (void)job.delay_over(kSmall);
  EXPECT_THAT(job.allocation_failed(kSmall, unavailable("store"), 3s),
              ElementsAre(JobAction{Kind::kCloseTasks, kBig}))
      << "two restarts are all that is allowed";
  close_big(job, {{Kind::kReport}});
  EXPECT_EQ(job.result().error(), unavailable("given up after 2 restarts: store"));
}

TEST_F(JobStateMachineTest, FailsAtOnceWhenNoAttemptCanBeAllocated) {
  JobStateMachine job({3}, NoRestart{}, Random(1));
  (void)job.start();
  EXPECT_THAT(job.allocation_failed(0, unavailable("store"), 1s),
              ElementsAre(JobAction{Kind::kReport}));
  EXPECT_EQ(job.state(), JobState::kFailed);
}

TEST_F(JobStateMachineTest, EndsCancelledWhenItIsCancelled) {
  JobStateMachine job = running();
  EXPECT_EQ(job.cancel().size(), 2U);
  EXPECT_EQ(job.state(), JobState::kCancelling);
  EXPECT_THAT(job.cancel(), IsEmpty());
  EXPECT_THAT(job.task_failed(kBig, internal("from being stopped"), 1s), IsEmpty());
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kCancelled);
  EXPECT_EQ(job.result().error().code(), ErrorCode::kCancelled);
}

TEST_F(JobStateMachineTest, CancelsARegionThatWaitsForItsRestart) {
  JobStateMachine job = waiting();
  EXPECT_THAT(job.cancel(), ElementsAre(JobAction{Kind::kCloseTasks, kSmall}));
  EXPECT_THAT(job.task_closed(kSmall), ElementsAre(JobAction{Kind::kReport}));
  EXPECT_EQ(job.state(), JobState::kCancelled);
  EXPECT_THAT(job.delay_over(kBig), IsEmpty());
}

TEST_F(JobStateMachineTest, CancelsARegionWhoseAttemptIsBeingAllocated) {
  JobStateMachine job = made();
  (void)job.start();
  EXPECT_THAT(job.cancel(), IsEmpty());
  EXPECT_THAT(job.allocated(kBig), IsEmpty());
  EXPECT_THAT(job.allocation_failed(kSmall, unavailable("store"), 1s),
              ElementsAre(JobAction{Kind::kReport}));
  EXPECT_EQ(job.state(), JobState::kCancelled);
}

TEST_F(JobStateMachineTest, FailsWhereATaskCannotClose) {
  JobStateMachine job = finishing();
  EXPECT_THAT(job.task_failed(kSmall, unavailable("cannot close"), 1s), IsEmpty());
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kFailed);
  EXPECT_EQ(job.result().error(), unavailable("cannot close"));
}

TEST_F(JobStateMachineTest, IsGivenUpWhenTasksDoNotStop) {
  JobStateMachine job = running();
  (void)job.task_failed(kBig, user_code("first"), 1s);
  EXPECT_THAT(job.closing_timed_out(internal("stuck")), ElementsAre(JobAction{Kind::kReport}));
  EXPECT_EQ(job.state(), JobState::kFailed);
  EXPECT_EQ(job.result().error(), internal("stuck"));
  EXPECT_THAT(job.closing_timed_out(internal("again")), IsEmpty());
  close_big(job, {});
}

TEST_F(JobStateMachineTest, KeepsTheErrorItFailedWithWhenTasksThenDoNotStop) {
  JobStateMachine job = running(NoRestart{});
  (void)job.task_failed(kBig, user_code("first"), 1s);
  (void)job.closing_timed_out(internal("stuck"));
  EXPECT_EQ(job.result().error(), user_code("first"));
}

TEST_F(JobStateMachineTest, StaysAsItEnded) {
  JobStateMachine job = finishing();
  close_all(job);
  EXPECT_THAT(job.cancel(), IsEmpty());
  EXPECT_THAT(job.task_failed(kBig, internal("too late"), 1s), IsEmpty());
  EXPECT_THAT(job.all_failed(internal("too late"), 1s), IsEmpty());
  EXPECT_EQ(job.state(), JobState::kFinished);
  EXPECT_TRUE(job.result());
}

TEST(JobStateMachineDeathTest, RefusesTasksThatCloseUntold) {
  JobStateMachine job({1}, NoRestart{}, Random(1));
  EXPECT_DEATH((void)job.task_closed(0), "nobody told them");
}

TEST(JobState, HasANameForEachState) {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(JobState::kCancelled); ++i) {
    names.push_back(to_string(static_cast<JobState>(i)));
  }
  EXPECT_THAT(names, ElementsAre("starting", "running", "restarting", "finishing", "finished",
                                 "failing", "failed", "cancelling", "cancelled"));
}

TEST_F(JobStateMachineTest, AdoptsTasksThatRun) {
  JobStateMachine job = made();
  EXPECT_THAT(job.adopt({1, 0}), IsEmpty());
  EXPECT_EQ(job.state(), JobState::kRunning);
  EXPECT_THAT(job.task_finished(kBig), IsEmpty());
  EXPECT_THAT(job.task_finished(kSmall), ElementsAre(JobAction{Kind::kFinalCheckpoint}));
}

TEST_F(JobStateMachineTest, TakesTheFinalCheckpointWhereAllAdoptedTasksHaveFinished) {
  JobStateMachine job = made();
  EXPECT_THAT(job.adopt({2, 1}), ElementsAre(JobAction{Kind::kFinalCheckpoint}));
}

TEST_F(JobStateMachineTest, RestartsAdoptedTasksLikeOthers) {
  JobStateMachine job = made();
  EXPECT_THAT(job.adopt({0, 0}), IsEmpty());
  EXPECT_THAT(job.task_failed(kSmall, invalid_argument("broken"), 0s),
              ElementsAre(JobAction{Kind::kCloseTasks, kSmall}))
      << "it had begun before";
}

}  // namespace
}  // namespace millrace::detail
