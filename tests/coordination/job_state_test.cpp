#include "millrace/coordination/job_state.h"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

JobStateMachine running() { return JobStateMachine(2); }

JobStateMachine committing() {
  JobStateMachine job = running();
  EXPECT_EQ(job.task_finished(), JobAction::kNone);
  EXPECT_EQ(job.task_finished(), JobAction::kCommitTasks);
  return job;
}

JobStateMachine failing() {
  JobStateMachine job = running();
  EXPECT_EQ(job.task_failed(user_code("first")), JobAction::kCancelTasks);
  return job;
}

JobStateMachine cancelling() {
  JobStateMachine job = running();
  EXPECT_EQ(job.cancel(), JobAction::kCancelTasks);
  return job;
}

// All tasks close; the last one is reported.
void close_all(JobStateMachine& job) {
  EXPECT_EQ(job.task_closed(), JobAction::kNone);
  EXPECT_EQ(job.task_closed(), JobAction::kReport);
}

TEST(JobStateMachine, FinishesOnceAllTasksHaveCommittedAndClosed) {
  JobStateMachine job = running();
  EXPECT_EQ(job.state(), JobState::kRunning);
  EXPECT_EQ(job.task_finished(), JobAction::kNone);
  EXPECT_EQ(job.state(), JobState::kRunning);
  EXPECT_EQ(job.task_finished(), JobAction::kCommitTasks);
  EXPECT_EQ(job.state(), JobState::kCommitting);
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kFinished);
  EXPECT_TRUE(job.result());
}

TEST(JobStateMachine, FailsWithTheFirstError) {
  JobStateMachine job = failing();
  EXPECT_EQ(job.state(), JobState::kFailing);
  EXPECT_EQ(job.task_failed(internal("second, from being stopped")), JobAction::kNone);
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kFailed);
  EXPECT_EQ(job.result().error(), user_code("first"));
}

TEST(JobStateMachine, IgnoresTasksThatFinishWhileItFails) {
  JobStateMachine job = failing();
  EXPECT_EQ(job.task_finished(), JobAction::kNone);
  EXPECT_EQ(job.task_finished(), JobAction::kNone);
  EXPECT_EQ(job.state(), JobState::kFailing);
}

TEST(JobStateMachine, FailsWhenATaskFailsAfterAnotherFinished) {
  JobStateMachine job = running();
  EXPECT_EQ(job.task_finished(), JobAction::kNone);
  EXPECT_EQ(job.task_failed(user_code("first")), JobAction::kCancelTasks);
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kFailed);
}

TEST(JobStateMachine, FailsWhenACommitFailsAndLetsTheOthersClose) {
  JobStateMachine job = committing();
  EXPECT_EQ(job.task_failed(unavailable("no commit")), JobAction::kNone);
  EXPECT_EQ(job.state(), JobState::kFailing);
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kFailed);
  EXPECT_EQ(job.result().error(), unavailable("no commit"));
}

TEST(JobStateMachine, FailsWhenTheLastCommitFails) {
  JobStateMachine job = committing();
  EXPECT_EQ(job.task_closed(), JobAction::kNone);
  EXPECT_EQ(job.task_failed(unavailable("no commit")), JobAction::kNone);
  EXPECT_EQ(job.task_closed(), JobAction::kReport);
  EXPECT_EQ(job.state(), JobState::kFailed);
}

TEST(JobStateMachine, EndsCancelledWhenItIsCancelled) {
  JobStateMachine job = cancelling();
  EXPECT_EQ(job.state(), JobState::kCancelling);
  EXPECT_EQ(job.cancel(), JobAction::kNone);
  EXPECT_EQ(job.task_finished(), JobAction::kNone);
  EXPECT_EQ(job.task_failed(internal("from being stopped")), JobAction::kNone);
  close_all(job);
  EXPECT_EQ(job.state(), JobState::kCancelled);
  EXPECT_EQ(job.result().error().code(), ErrorCode::kCancelled);
}

TEST(JobStateMachine, IsNotCancelledOnceItCommitsOrFails) {
  JobStateMachine first = committing();
  EXPECT_EQ(first.cancel(), JobAction::kNone);
  EXPECT_EQ(first.state(), JobState::kCommitting);
  JobStateMachine second = failing();
  EXPECT_EQ(second.cancel(), JobAction::kNone);
  EXPECT_EQ(second.state(), JobState::kFailing);
}

TEST(JobStateMachine, StaysAsItEnded) {
  JobStateMachine job = committing();
  close_all(job);
  EXPECT_EQ(job.cancel(), JobAction::kNone);
  EXPECT_EQ(job.task_failed(internal("too late")), JobAction::kNone);
  EXPECT_EQ(job.state(), JobState::kFinished);
  EXPECT_TRUE(job.result());
}

TEST(JobStateMachineDeathTest, RefusesTasksThatCloseUntold) {
  JobStateMachine job(1);
  EXPECT_DEATH((void)job.task_closed(), "nobody told them");
}

TEST(JobState, HasANameForEachState) {
  EXPECT_EQ(to_string(JobState::kRunning), "running");
  EXPECT_EQ(to_string(JobState::kCommitting), "committing");
  EXPECT_EQ(to_string(JobState::kFinished), "finished");
  EXPECT_EQ(to_string(JobState::kFailing), "failing");
  EXPECT_EQ(to_string(JobState::kFailed), "failed");
  EXPECT_EQ(to_string(JobState::kCancelling), "cancelling");
  EXPECT_EQ(to_string(JobState::kCancelled), "cancelled");
}

}  // namespace
}  // namespace millrace::detail
