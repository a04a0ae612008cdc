// What becomes of a savepoint that somebody asked for: a pure state machine beside
// CheckpointCoordinator, which takes the checkpoint that the savepoint is. One at a time.
//
//   kNone --request--> kMaking --made--> kWaiting --triggered--> kTaken --completed--> kSaving
//     ^                   |                 ^                      |                      |
//     |                   \--> kDraining ---/ final checkpoint     |                written
//     |<---- not made, interrupted, aborted <----------------------/                      v
//     |<-- the end is recorded: replied -- kEnding <------ all have committed ------ kStopping
//                                             ^--- drained: tasks end by themselves; from kSaving
//
// The savepoint is complete with its metadata, which is written when its checkpoint is complete.
// kStopping: the job is to end, once all tasks have committed. That it has ended is said once that
// is recorded: until then another coordinator would have it go on. To rescale it the checkpoint is
// all: it goes from kNone to kWaiting, from kTaken to kStopping, and from there to kNone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "millrace/core/ids.h"
#include "millrace/core/result.h"
#include "millrace/plan/cluster.h"

namespace millrace::detail {

// What the coordinator must do now.
struct SavepointAction {
  enum class Kind : std::uint8_t {
    kMake,      // its folder: then made()
    kTake,      // request the checkpoint that it is, or that is enough
    kWithdraw,  // that request
    kDrain,     // tell the sources to end
    kWrite,     // its metadata: then written()
    kDiscard,   // its folder
    kResume,    // tell the sources to go on
    kStop,      // the job
    kReply,     // `result`
  };

  Kind kind;
  Status result{};
};

class SavepointRequests {
 public:
  using Actions = std::vector<SavepointAction>;

  // So many tasks commit. Of a job that only this process can run nobody waits for the end: a task
  // that does not close would hold up the answer.
  explicit SavepointRequests(std::size_t tasks, bool alone = false)
      : tasks_(tasks), alone_(alone) {}

  // Only where none is under way.
  Actions request(AfterSavepoint then, bool tasks_run);
  bool busy() const { return state_ != State::kNone; }

  Actions made(const Status& made, bool tasks_run);
  // All tasks have finished.
  Actions final_checkpoint_due();
  // These are about the checkpoint of a savepoint.
  void triggered(CheckpointId id);
  Actions completed(CheckpointId id);
  Actions aborted(CheckpointId id, const Error& error);
  // A task has; of any checkpoint.
  Actions committed(CheckpointId id);
  Actions written(const Status& written);
  // Some task does not run, or soon will not.
  Actions interrupted();
  // The job has ended, and that is recorded, unless it could not be.
  Actions ended(const Status& recorded);

  // Whether sources stop behind the checkpoint.
  bool stops() const { return then_ == AfterSavepoint::kStop || rescales(); }
  // Whether that is all, and no rows are written.
  bool rescales() const { return then_ == AfterSavepoint::kRescale; }

 private:
  enum class State : std::uint8_t {
    kNone,
    kMaking,
    kDraining,
    kWaiting,
    kTaken,
    kSaving,
    kStopping,
    kEnding,
  };

  Actions withdraw(const Error& error);
  Actions fail(const Error& error);
  Actions stop_if_committed();
  // It may be another coordinator's that has the job go on.
  bool waits_for_end() const { return !alone_ && !rescales(); }

  const std::size_t tasks_;
  const bool alone_;
  State state_ = State::kNone;
  AfterSavepoint then_ = AfterSavepoint::kGoOn;
  CheckpointId id_{0};
  std::size_t committed_ = 0;
};

}  // namespace millrace::detail
