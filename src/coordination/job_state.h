// The life of a job, as a pure state machine: it is told what happened and says what to do.
//
//   kRunning --all tasks finished--> kCommitting --all closed--> kFinished
//      |  \--a task failed--> kFailing --all closed--> kFailed
//      \----cancel----------> kCancelling --all closed--> kCancelled
//
// A failure while committing leads to kFailing as well. The first failure is the one reported;
// what follows from stopping the other tasks is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "millrace/core/result.h"

namespace millrace::detail {

enum class JobState : std::uint8_t {
  kRunning,
  kCommitting,
  kFinished,
  kFailing,
  kFailed,
  kCancelling,
  kCancelled,
};

std::string_view to_string(JobState state);

// What the coordinator must do now.
enum class JobAction : std::uint8_t { kNone, kCommitTasks, kCancelTasks, kReport };

class JobStateMachine {
 public:
  explicit JobStateMachine(std::size_t tasks) : tasks_(tasks) {}

  JobAction task_finished();
  JobAction task_failed(Error error);
  JobAction task_closed();
  JobAction cancel();

  JobState state() const { return state_; }
  // Of the job, once it ended.
  const Status& result() const { return result_; }

 private:
  std::size_t tasks_;
  std::size_t finished_ = 0;
  std::size_t closed_ = 0;
  JobState state_ = JobState::kRunning;
  Status result_;
};

}  // namespace millrace::detail
