// The life of a job, as a pure state machine: it is told what happened and says what to do.
//
//                         all tasks finished,
//                         committed the final checkpoint
//   kStarting -> kRunning ---------------------> kFinishing -> kFinished
//                 ^   |
//        all run  |   |  a failure that the restart strategy permits
//                 |   v
//               kRestarting
//
//   from each of these three: a failure it does not permit -> kFailing    -> kFailed
//                             cancel                       -> kCancelling -> kCancelled
//                             stop, behind a savepoint     -> kStopping   -> kStopped
//
// kFinishing, kFailing, kCancelling and kStopping last until all tasks are closed. Tasks that are
// connected by channels are a region, and fail and restart together:
//
//   kAllocating -> kOpening -> kRunning        kAllocating: the attempt's number is being written
//        ^            |           |            kOpening: its tasks are made and restored
//        |            v           v
//     kWaiting <--- kClosing <----/  (failure)         kClosing -> kClosed (end of the job)
//
// The result is the error of the failure that ended the job; what follows from stopping the other
// tasks is not reported.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "millrace/core/random.h"
#include "millrace/core/result.h"
#include "millrace/plan/execution_settings.h"

namespace millrace::detail {

enum class JobState : std::uint8_t {
  kStarting,
  kRunning,
  kRestarting,
  kFinishing,
  kFinished,
  kFailing,
  kFailed,
  kCancelling,
  kCancelled,
  kStopping,
  kStopped,
};

std::string_view to_string(JobState state);

// What the coordinator must do now.
struct JobAction {
  enum class Kind : std::uint8_t {
    kAllocate,         // the region's next attempt: then allocated() or allocation_failed()
    kOpenTasks,        // make the region's tasks
    kStartTasks,       // all of the region's tasks are open
    kCloseTasks,       // tell the region's tasks to stop where they are
    kWait,             // for `delay`: then delay_over()
    kFinalCheckpoint,  // all tasks have finished: then final_checkpoint_completed()
    kReport,           // the job has ended
  };

  Kind kind;
  std::size_t region = 0;
  std::chrono::nanoseconds delay{0};

  bool operator==(const JobAction&) const = default;
};

class JobStateMachine {
 public:
  using Actions = std::vector<JobAction>;
  using Time = std::chrono::nanoseconds;

  // The number of tasks in each region. A job that has run before, under another coordinator, has
  // begun.
  JobStateMachine(const std::vector<std::size_t>& regions, RestartSettings restart, Random random,
                  bool has_run = false);

  Actions start();
  // Instead: its tasks run already, and so many of each region's have finished.
  Actions adopt(const std::vector<std::size_t>& finished);
  Actions allocated(std::size_t region);
  Actions allocation_failed(std::size_t region, Error error, Time now);
  Actions task_opened(std::size_t region);
  Actions task_finished(std::size_t region);
  Actions final_checkpoint_completed();
  Actions task_committed_final(std::size_t region);
  // kCancelled errors are not tried again: somebody asked for them, or another coordinator leads.
  // Nor is what is wrong in itself before the job has run for the first time.
  Actions task_failed(std::size_t region, Error error, Time now);
  // A source has not found its splits, for which it looks once: the same holds for it whenever that
  // is noticed.
  Actions splits_failed(std::size_t region, Error error, Time now);
  Actions all_failed(Error error, Time now);  // what concerns no single region
  Actions task_closed(std::size_t region);
  Actions delay_over(std::size_t region);
  Actions cancel();
  // All that the job has done so far is kept: that is no failure.
  Actions stop();
  // Tasks were told to stop and did not in time: the job is given up with this error.
  Actions closing_timed_out(Error error);

  JobState state() const { return state_; }
  // It failed before all of its tasks ran: it could not begin.
  bool refused() const { return state_ == JobState::kFailed && !has_run_; }
  bool ended() const;
  // Whether the region's tasks have been told to stop and have not all done so.
  bool closing(std::size_t region) const { return regions_[region].state == RegionState::kClosing; }
  // Of the job, once it ended.
  const Status& result() const { return result_; }

 private:
  enum class RegionState : std::uint8_t {
    kAllocating,
    kOpening,
    kRunning,
    kClosing,
    kWaiting,
    kClosed,
  };
  struct Region {
    std::size_t tasks = 0;
    RegionState state = RegionState::kAllocating;
    std::size_t opened = 0;
    std::size_t finished = 0;
    std::size_t committed = 0;
    std::size_t closed = 0;
    Time delay{0};  // before the next attempt
  };

  bool all(RegionState state) const;
  bool all_tasks(std::size_t Region::*counted) const;
  bool alive() const;  // it runs, or will
  bool runs(const Region& region) const;
  Actions fail(std::span<Region> regions, Error error, Time now);
  Actions fail(std::span<Region> regions, Error error, Time now, bool final);
  Actions end(JobState state);
  Actions close_all();
  Actions close(Region& region);
  Actions settle();
  JobAction act(JobAction::Kind kind, const Region& region, Time delay = Time(0)) const;
  Error explained(Error error) const;

  std::vector<Region> regions_;
  RestartSettings restart_;
  Random random_;
  std::vector<Time> failures_;
  bool has_run_ = false;
  bool completing_ = false;  // the final checkpoint is complete
  JobState state_ = JobState::kStarting;
  Status result_;
};

}  // namespace millrace::detail
