// When checkpoints are taken, and when one is complete: a pure state machine that is told what
// happened and says what to do. One is under way at most.
//
//   kStopped <-> kWaiting --trigger--> kCollecting --all acknowledged--> kWriting
//                   ^                      |                                | metadata written
//                   |<--- aborted: declined, timed out, stopped, not written|
//                   |                                                       v
//                   \<----------- completed, or not swapped ------------ kSwapping
//                                                      after a pause, again ^ |  no answer
//                                                                           | v
//                                                                         kInDoubt
//
// The swap of the job's pointer completes a checkpoint: nobody is told to commit before it is
// confirmed. While it is under way the checkpoint cannot be aborted any more, whatever fails. Where
// nobody says whether it was done, as without ZooKeeper's quorum, tasks run on and it is asked for
// again, until the checkpoint's time is over. Once tasks have failed it is asked for no more: who
// starts them again looks whether it was done.
//
// After the last record a final checkpoint commits what the sinks hold, also where the interval is
// 0. One that fails is tried again, as often as is tolerated.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/ids.h"
#include "millrace/core/result.h"
#include "millrace/plan/execution_settings.h"
#include "millrace/state/checkpoint_metadata.h"

namespace millrace::detail {

enum class CheckpointState : std::uint8_t {
  kStopped,
  kWaiting,
  kCollecting,
  kWriting,
  kSwapping,
  kInDoubt
};

// What the coordinator must do now.
struct CheckpointAction {
  enum class Kind : std::uint8_t {
    kTrigger,        // tell the sources and their enumerators
    kWriteMetadata,  // `metadata`; then metadata_written()
    kSwapPointer,    // to `retained`, the newest last; then pointer_swapped()
    kComplete,       // tell the tasks, and remove checkpoints that are no longer retained
    kAbort,          // tell the tasks
    kFail,           // the tasks, with `error`: too many checkpoints failed
  };

  Kind kind;
  CheckpointName checkpoint;
  CheckpointId completed{0};  // of what is triggered: the last one that is complete; 0: none
  bool final = false;
  bool savepoint = false;
  bool failed = false;  // what is aborted: it counts as a failure
  CheckpointMetadata metadata{};
  std::vector<CheckpointName> retained{};
  Error error = internal("no error");
};

std::string_view to_string(CheckpointAction::Kind kind);

// What a subtask says once its part of a checkpoint is written.
struct Acknowledgement {
  std::size_t subtask = 0;
  TaskSnapshot snapshot{};
  bool savepoint = false;  // the rows of its keyed state are written too
};

class CheckpointCoordinator {
 public:
  using Actions = std::vector<CheckpointAction>;
  using Time = std::chrono::nanoseconds;

  // Who must acknowledge: so many subtasks, and so many enumerators.
  CheckpointCoordinator(CheckpointSettings settings, std::size_t subtasks, std::size_t enumerators);

  // The newest that was triggered, or could have been; 0: none.
  CheckpointId triggered() const { return CheckpointId(next_.value() - 1); }
  // What the metadata store knows; told before anything else, and at each restart.
  void continue_from(std::uint64_t epoch, CheckpointId next, std::vector<CheckpointName> retained);
  // All tasks run.
  void resume(Time now);
  // Some task does not run, or soon will not.
  Actions stop(Time now);

  // wake_at() has come.
  Actions tick(Time now);
  // As soon as nothing else is under way. That it fails counts as no failure. Without rows it is a
  // checkpoint like any other, but that somebody waits for it.
  void request_savepoint(bool with_rows = true) {
    savepoint_requested_ = true;
    rows_requested_ = with_rows;
  }
  void withdraw_savepoint() { savepoint_requested_ = false; }
  void request_final() { final_requested_ = true; }

  // Of a checkpoint that is not the one under way, nothing below has an effect.
  // A savepoint without a subtask's rows would lack its state: that is refused.
  Actions acknowledge(CheckpointId id, Acknowledgement acknowledged, Time now);
  // Nothing: the enumerator has not looked for its splits yet.
  Actions acknowledge_splits(CheckpointId id, const std::string& source,
                             std::optional<StatePiece> splits);
  // Without an error: somebody cannot take a checkpoint yet, which counts as no failure.
  Actions decline(CheckpointId id, const std::optional<Error>& error, Time now);
  Actions metadata_written(CheckpointId id, const Status& written, Time now);
  Actions pointer_swapped(CheckpointId id, const Status& swapped, Time now);

  CheckpointState state() const { return state_; }
  // When to call tick() at the latest; nothing while there is nothing to wait for.
  std::optional<Time> wake_at() const;

 private:
  struct Pending {
    CheckpointName name;
    bool savepoint = false;
    bool rows = false;
    bool final = false;
    Time timeout_at{0};
    Time swap_again_at{0};  // if it is in doubt
    std::vector<std::optional<TaskSnapshot>> tasks;
    std::map<std::string, std::optional<StatePiece>> splits;
    std::size_t missing = 0;  // acknowledgements
  };

  bool is_pending(CheckpointId id, CheckpointState state) const;
  Actions swap();
  Actions trigger(Time now);
  Actions count_acknowledgement();
  Actions abort(const Error& error, Time now);
  void finish(Time now);
  CheckpointMetadata metadata() const;
  std::vector<CheckpointName> retained_with(CheckpointName name) const;

  const CheckpointSettings settings_;
  const std::size_t subtasks_;
  const std::size_t enumerators_;
  std::uint64_t epoch_ = 0;
  CheckpointId next_{1};
  std::vector<CheckpointName> retained_;
  CheckpointState state_ = CheckpointState::kStopped;
  bool running_ = false;
  bool savepoint_requested_ = false;
  bool rows_requested_ = false;
  bool final_requested_ = false;
  std::size_t failures_ = 0;  // in a row
  Time periodic_at_{0};       // when the next periodic one is due
  Pending pending_;
};

}  // namespace millrace::detail
