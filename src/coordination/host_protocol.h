// What the coordinator of a job and the hosts of its tasks say to each other, as plain data. A host
// is a process, or the part of one, that makes tasks from the job's code; the embedded cluster has
// one beside its coordinator.
//
//   a host has come      host -> coordinator    HostReady      it can have tasks
//   a region starts      coordinator -> hosts   OpenTasks      make, restore and open; to each host
//                                                              those that are placed there
//                        hosts -> coordinator   TaskOpened     of each task
//                        coordinator -> hosts   StartTasks     once all of the region are open
//   checkpoint n         coordinator -> hosts   Trigger(n)     for sources and enumerators
//                        hosts -> coordinator   SplitsAcknowledged(n)
//                                               CheckpointAcknowledged(n), or -Declined(n)
//     metadata written, pointer swapped:
//                        coordinator -> hosts   CompleteCheckpoint(n)
//                        hosts -> coordinator   CheckpointCommitted(n)
//     or something failed:
//                        coordinator -> hosts   AbortCheckpoint(n)
//   the input ends       hosts -> coordinator   TaskFinished, then a final checkpoint
//   the end, or a restart  coordinator -> hosts CloseTasks
//                        hosts -> coordinator   TaskClosed     of each task
//   now and then         hosts -> coordinator   HostProgress   in heartbeats, of remote hosts
//   another leads        hosts -> coordinator   HostReady      with the tasks that run there; then
//                        coordinator -> hosts   CompleteCheckpoint of the last one that is, and
//                                               AbortCheckpoint of whatever came after it
//
// What one says to the other comes in that order. What is heard from an attempt that is no more has
// no effect.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "millrace/coordination/barrier.h"
#include "millrace/coordination/job_restore.h"
#include "millrace/coordination/placement.h"
#include "millrace/core/ids.h"
#include "millrace/core/result.h"
#include "millrace/state/checkpoint_metadata.h"

namespace millrace::detail {

// --- from the coordinator to hosts ---

struct TaskOrder {
  SubtaskId subtask;
  RestoredTask restored;
};

struct EnumeratorOrder {
  TaskId task;
  std::optional<StatePiece> restored;  // the splits that were left
};

// A task of the region that is on another host.
struct TaskElsewhere {
  SubtaskId subtask;
  std::uint32_t host = 0;  // its position in OpenTasks::hosts

  friend bool operator==(const TaskElsewhere&, const TaskElsewhere&) = default;
};

// Make these tasks of a region, and open them. The enumerator of a source is where the source's
// first subtask is.
struct OpenTasks {
  AttemptId attempt;
  std::uint64_t epoch = 0;
  std::optional<CheckpointId> checkpoint;  // that they go on from
  std::string origin;  // the path of where that lies; empty: among the job's own checkpoints
  std::vector<TaskOrder> tasks;
  std::vector<EnumeratorOrder> enumerators;
  std::vector<HostAddress> hosts;        // of the region; none if this one has all of it
  std::vector<TaskElsewhere> elsewhere;  // the region's tasks that this host does not have
};
// All tasks of the region are open: begin.
struct StartTasks {
  AttemptId attempt;
};
// Close them, and let them be gone: the job has ended, or the region restarts.
struct CloseTasks {
  AttemptId attempt;
};
// Take a checkpoint. To sources: directly, or through their enumerator, so that a split is in the
// snapshot of whoever had it when the checkpoint was taken.
struct Trigger {
  Barrier barrier;
};
// The checkpoint is complete: show what was prepared up to it.
struct CompleteCheckpoint {
  CheckpointId checkpoint;
};
// This checkpoint will not complete, nor any before it that is still under way. What was prepared
// for it belongs to the next one.
struct AbortCheckpoint {
  CheckpointId checkpoint;
};
// The savepoint behind which sources stopped could not be written: they go on.
struct ResumeSources {};
// Sources end as if their input had.
struct Drain {};

// --- from hosts to the coordinator ---

struct TaskAddress {
  SubtaskId subtask;
  AttemptId attempt;

  friend bool operator==(const TaskAddress&, const TaskAddress&) = default;
};
// In the order of its life.
enum class TaskCondition : std::uint8_t { kOpening, kRunning, kFinished, kFailed, kClosing };
// A task that the host has, for whoever was its coordinator before.
struct HeldTask {
  TaskAddress task;
  TaskCondition condition = TaskCondition::kOpening;

  friend bool operator==(const HeldTask&, const HeldTask&) = default;
};
// The host can have tasks, and the job's other hosts reach it there.
struct HostReady {
  HostAddress address;
  std::uint64_t plan = 0;  // mark of the plan by which its tasks are numbered
  std::vector<HeldTask> tasks = {};
  CheckpointId triggered{0};  // the newest checkpoint of which it has heard
  bool drained = false;       // its sources were to end, which is half of what somebody wanted
};

// What a task has done. It comes with the heartbeats of the host's link, and some may be lost.
struct TaskProgress {
  TaskAddress task;
  std::uint64_t records_in = 0;   // from other tasks
  std::uint64_t records_out = 0;  // of the chain's head; for a source what it emitted

  friend bool operator==(const TaskProgress&, const TaskProgress&) = default;
};
struct HostProgress {
  std::vector<TaskProgress> tasks;
};

// Restored, open, and what its sinks had prepared for the checkpoint it goes on from is committed.
struct TaskOpened {
  TaskAddress from;
};
// Everything was processed and sent. The task goes on taking part in checkpoints.
struct TaskFinished {
  TaskAddress from;
};
// The task does nothing more, but waits for its end.
struct TaskFailed {
  TaskAddress from;
  Error error;
  bool lost_peer = false;  // a task of another host was out of reach, and nothing else was wrong
};
// The task is closed and gone.
struct TaskClosed {
  TaskAddress from;
};
struct CheckpointAcknowledged {
  TaskAddress from;
  CheckpointId checkpoint;
  TaskSnapshot snapshot;
  bool savepoint = false;  // the rows of its keyed state are written too
};
// The task's keyed state could not be written, or the task cannot take a checkpoint yet, which is
// no error. It goes on all the same.
struct CheckpointDeclined {
  TaskAddress from;
  CheckpointId checkpoint;
  std::optional<Error> error;
};
struct CheckpointCommitted {
  TaskAddress from;
  CheckpointId checkpoint;
};

struct EnumeratorAddress {
  TaskId task;
  AttemptId attempt;
};
struct EnumeratorFailed {
  EnumeratorAddress from;
  Error error;
};
// The splits that no reader has; nothing if they were not looked for yet.
struct SplitsAcknowledged {
  EnumeratorAddress from;
  CheckpointId checkpoint;
  std::optional<StatePiece> splits;
};

}  // namespace millrace::detail
