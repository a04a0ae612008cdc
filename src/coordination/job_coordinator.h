// What a job's coordinator decides, as a pure state machine: it is told what happened, by hosts, by
// people and by what it asked for, and gives commands. How a job lives (JobStateMachine), when a
// checkpoint is taken and complete (CheckpointCoordinator), and what becomes of savepoints
// (SavepointRequests) are machines of their own; this one has them, lets them follow each other,
// and knows what each region goes on from.
//
// It holds the plan and no code of the job. It knows of each subtask on which host it is; a host
// that is lost takes its tasks along.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "millrace/coordination/adoption.h"
#include "millrace/coordination/checkpoint_coordinator.h"
#include "millrace/coordination/checkpoint_history.h"
#include "millrace/coordination/host_protocol.h"
#include "millrace/coordination/job_ledger.h"
#include "millrace/coordination/job_state.h"
#include "millrace/coordination/savepoint_requests.h"
#include "millrace/plan/execution_plan.h"
#include "millrace/plan/execution_settings.h"
#include "millrace/plan/subtasks.h"

namespace millrace::detail {

// --- what it asks for ---

// Of the ledger, one after the other; each but the last leads to the event of its name.
struct AllocateAttempt {
  std::size_t region;
};
struct WriteMetadata {
  CheckpointName name;
  CheckpointMetadata metadata;
};
struct SwapPointer {
  CheckpointId checkpoint;
  std::vector<CheckpointName> retained;
};
struct MakeSavepoint {
  std::string path;
};
struct WriteSavepoint {
  CheckpointName name;
  CheckpointMetadata metadata;
};
struct RecordEnd {
  std::string_view state;  // as job records have it
  bool refused;            // it could not begin
};
struct RemoveUnused {};
struct DiscardSavepoint {};

// Of hosts: to one that has tasks of a region, or to all.
struct OpenRegion {
  std::size_t region;
  std::string host;  // its identity
  OpenTasks tasks;
};
struct StartRegion {
  std::size_t region;
  std::string host;
  StartTasks tasks;
};
// Call closing_timed_out() after the cancellation timeout.
struct CloseRegion {
  std::size_t region;
  std::string host;
  CloseTasks tasks;
};
// The host counts as lost: have nothing more to do with it.
struct DropHost {
  std::string host;
  Error error;
};
using ToAllHosts = std::variant<Trigger, CompleteCheckpoint, AbortCheckpoint, ResumeSources, Drain>;

// Of a clock: call delay_over() then.
struct WaitToRestart {
  std::size_t region;
  std::chrono::nanoseconds delay;
};

// Of people.
struct TellSavepoint {  // whoever asked for it
  Status result;
};
struct TellRestart {  // a log: nobody else hears of this failure
  Error error;
};
struct TellDeclined {  // likewise
  CheckpointName checkpoint;
  Error error;
};
struct TellEnd {
  Status result;
};

using CoordinatorCommand =
    std::variant<AllocateAttempt, WriteMetadata, SwapPointer, MakeSavepoint, WriteSavepoint,
                 RecordEnd, RemoveUnused, DiscardSavepoint, OpenRegion, StartRegion, CloseRegion,
                 DropHost, ToAllHosts, WaitToRestart, TellSavepoint, TellRestart, TellDeclined,
                 TellEnd>;

struct JobCoordinatorSettings {
  CheckpointSettings checkpoints;
  RestartSettings restart;
  bool has_run = false;  // before this coordinator had it
  bool allow_dropped_state = false;
  bool takes_savepoints = false;  // there is a place for them
  bool alone = false;             // no other process could have the job go on
  std::uint64_t seed = 0;
};

// When something happened.
struct Moment {
  std::chrono::nanoseconds monotonic{0};
  Timestamp wall{};
};

class JobCoordinator {
 public:
  using Commands = std::vector<CoordinatorCommand>;

  JobCoordinator(const ExecutionPlan& plan, JobCoordinatorSettings settings);

  Commands start(Moment now);
  // Instead: another coordinator had started the job, its tasks run, and the attempt says what is
  // complete. What that one had under way is not: it is aborted, whatever it was.
  Commands adopt(const Attempt& attempt, const RunningTasks& running, Moment now);
  Commands cancel(Moment now);
  // Whether one can be asked for now: the job keeps something on disk, and no other is under way.
  Status check_savepoint() const;
  // Also to rescale it.
  Commands request_savepoint(SavepointOrder order, Moment now);

  // The placement is of subtasks_in(region), in their order.
  Commands allocated(std::size_t region, const Result<Attempt>& attempt,
                     const Result<Placement>& placement, Moment now);
  Commands metadata_written(CheckpointId checkpoint, const Status& status, Moment now);
  Commands pointer_swapped(CheckpointId checkpoint, const Status& status, Moment now);
  Commands savepoint_made(const Status& status, Moment now);
  Commands savepoint_written(const Status& status, Moment now);
  Commands delay_over(std::size_t region, Moment now);
  // Of a host that was told to close tasks. One beside this coordinator cannot be done without: its
  // job is given up. Any other is lost.
  Commands closing_timed_out(const CloseRegion& closing, Moment now);
  // Nothing more will be heard of the host: its tasks have failed, and nobody waits for them.
  Commands host_lost(const std::string& host, const Error& error, Moment now);
  // It counts as lost though it may be heard still: its tasks are to close all the same.
  Commands host_missed(const std::string& host, const Error& error, Moment now);
  // The newest checkpoint that may have left anything.
  CheckpointId triggered() const { return checkpoints_.triggered(); }
  Commands end_recorded(const Status& recorded, Moment now);

  Commands hear(const TaskOpened& opened, Moment now);
  Commands hear(const TaskFinished& finished, Moment now);
  Commands hear(const TaskFailed& failed, Moment now);
  Commands hear(const TaskClosed& closed, Moment now);
  Commands hear(CheckpointAcknowledged acknowledged, Moment now);
  Commands hear(const CheckpointDeclined& declined, Moment now);
  Commands hear(const CheckpointCommitted& committed, Moment now);
  Commands hear(const EnumeratorFailed& failed, Moment now);
  Commands hear(SplitsAcknowledged acknowledged, Moment now);

  // When to call tick() at the latest; nothing while there is nothing to wait for.
  std::optional<std::chrono::nanoseconds> wake_at() const { return checkpoints_.wake_at(); }
  Commands tick(Moment now) { return settle(now); }

  JobState state() const { return job_.state(); }
  const CheckpointHistory& history() const { return history_; }
  std::size_t regions() const { return regions_.size(); }
  // In their order.
  std::vector<Subtask> subtasks_in(std::size_t region) const;

 private:
  struct Region {
    std::vector<SubtaskId> subtasks;
    AttemptId attempt;
    std::vector<HostAddress> hosts;       // of the attempt's tasks
    std::optional<RestoredJob> restored;  // what the attempt goes on from, until its tasks are made
    std::string origin;                   // where that lies, if not among the checkpoints
  };

  Commands settle(Moment now);
  void give(CoordinatorCommand command) { commands_.push_back(std::move(command)); }
  std::size_t region_of(SubtaskId subtask) const;
  const HostAddress& host_of(SubtaskId subtask) const;
  // All that the job had to do is done and kept: tasks have nothing to do but close.
  bool is_done() const;
  bool has_open_tasks(const Region& region, const HostAddress& host) const;
  // For each host that has open tasks of the region.
  template <class Give>
  void each_host(const Region& region, Give give);
  void close_tasks_on(const std::string& host);
  void lose_host(const std::string& host, const Error& error, Moment now);
  // What an attempt that is no more has to say is not heard.
  bool is_current(const TaskAddress& from) const;
  bool is_current(const EnumeratorAddress& from) const;

  void perform(const JobStateMachine::Actions& actions);
  void perform(const JobAction& action);
  void perform(CheckpointCoordinator::Actions actions, Moment now);
  void perform(CheckpointAction& action, Moment now);
  void perform(const SavepointRequests::Actions& actions);
  void perform(const SavepointAction& action);
  void perform_noting(const Error& error, const JobStateMachine::Actions& actions);

  Status restore_region(Region& region, const Attempt& attempt);
  void adopt_region(Region& region, const RunningTasks& running);
  void place_region(Region& region, const Placement& placement);
  void open(std::size_t index);
  void add_task(OpenTasks& order, Region& region, SubtaskId id) const;
  void add_enumerator(OpenTasks& order, const Region& region, TaskId task) const;
  Trigger trigger(const CheckpointAction& action, Moment now);
  void write_metadata(CheckpointAction& action);
  void stop();
  std::string what_for() const;
  std::string stuck_tasks(const Region& region, const HostAddress& host) const;

  const ExecutionPlan& plan_;
  const JobCoordinatorSettings settings_;
  const std::vector<Subtask> subtasks_;
  const std::vector<std::size_t> region_of_task_;  // by TaskId
  std::vector<Region> regions_;
  std::vector<bool> open_;              // subtasks, until they are closed
  std::vector<std::uint32_t> host_of_;  // subtasks: a position in their region's hosts
  JobStateMachine job_;
  CheckpointCoordinator checkpoints_;
  SavepointRequests savepoints_;
  CheckpointHistory history_;
  const std::uint64_t fingerprint_;
  std::uint64_t epoch_ = 0;

  Commands commands_;                  // of the event at hand
  bool running_ = false;               // all tasks run: checkpoints are taken
  Timestamp triggered_at_{};           // of the checkpoint under way
  std::optional<CheckpointId> final_;  // that all sinks must commit
  SavepointOrder order_;               // the last one
  bool rescales_ = false;              // the job stops in order to begin anew
  CheckpointName savepoint_name_;
  CheckpointMetadata savepoint_metadata_;
};

}  // namespace millrace::detail
