#include "millrace/coordination/job_state.h"

namespace millrace::detail {

std::string_view to_string(JobState state) {
  constexpr std::string_view kWords[] = {"running", "committing", "finished", "failing",
                                         "failed",  "cancelling", "cancelled"};
  return kWords[static_cast<std::size_t>(state)];
}

JobAction JobStateMachine::task_finished() {
  if (++finished_ < tasks_ || state_ != JobState::kRunning) return JobAction::kNone;
  state_ = JobState::kCommitting;
  return JobAction::kCommitTasks;
}

JobAction JobStateMachine::task_failed(Error error) {
  if (state_ != JobState::kRunning && state_ != JobState::kCommitting) return JobAction::kNone;
  // While committing, every task closes by itself.
  const JobAction action =
      state_ == JobState::kRunning ? JobAction::kCancelTasks : JobAction::kNone;
  state_ = JobState::kFailing;
  result_ = std::move(error);
  return action;
}

JobAction JobStateMachine::task_closed() {
  if (++closed_ < tasks_) return JobAction::kNone;
  switch (state_) {
    case JobState::kCommitting:
      state_ = JobState::kFinished;
      break;
    case JobState::kFailing:
      state_ = JobState::kFailed;
      break;
    case JobState::kCancelling:
      state_ = JobState::kCancelled;
      break;
    default:
      check(false, "all tasks closed although nobody told them to");
  }
  return JobAction::kReport;
}

JobAction JobStateMachine::cancel() {
  if (state_ != JobState::kRunning) return JobAction::kNone;
  state_ = JobState::kCancelling;
  result_ = cancelled("the job was cancelled");
  return JobAction::kCancelTasks;
}

}  // namespace millrace::detail
