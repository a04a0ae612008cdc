// The coordinator of one job: deploys its tasks, watches over them, has checkpoints taken, starts
// regions again that failed, and reports how the job ended. It only routes: what a task's fate
// means is decided by JobStateMachine, when a checkpoint is complete by CheckpointCoordinator, and
// what a task goes on from by restore_job(). The ledger's calls block: the executor makes them, one
// at a time, and what comes of them are messages.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/messages.h"
#include "millrace/actors/task_blueprint.h"
#include "millrace/coordination/checkpoint_coordinator.h"
#include "millrace/coordination/job_ledger.h"
#include "millrace/coordination/job_state.h"
#include "millrace/coordination/savepoint_requests.h"
#include "millrace/core/executor.h"
#include "millrace/core/log.h"
#include "millrace/plan/execution_settings.h"

namespace millrace::detail {

struct CoordinatorSettings {
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  Logger log;
  ExecutionSettings execution;
  bool blocking_tasks_have_threads = true;  // false where one thread runs everything, as it chooses
  std::function<void(Status)> report;       // called once, on the coordinator's thread, at the end
};

class CoordinatorActor final : public ActorBase {
 public:
  CoordinatorActor(caf::actor_config& config, std::vector<TaskBlueprint> blueprints,
                   CoordinatorSettings settings);

  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  struct Region {
    std::vector<std::size_t> subtasks;  // positions of their blueprints
    AttemptId attempt;
    std::optional<RestoredJob> restored;  // what the attempt goes on from, until its tasks are made
    std::shared_ptr<CheckpointStore> origin;  // where that lies; null: among the checkpoints
  };

  std::size_t region_of(const TaskAddress& from) const;
  // What an attempt that is no more has to say is not heard.
  bool is_current(const TaskAddress& from) const;
  bool is_current(const EnumeratorAddress& from) const;
  std::chrono::nanoseconds now() const { return settings_.clock->monotonic(); }

  template <class Actions>
  void follow(Actions actions);
  void schedule_checkpoints();
  void perform(const JobStateMachine::Actions& actions);
  void perform(const JobAction& action);
  void perform(CheckpointCoordinator::Actions actions);
  void perform(CheckpointAction& action);

  void trigger(CheckpointId checkpoint, bool savepoint);
  void write_metadata(CheckpointName name, CheckpointMetadata metadata);
  template <class Message>
  void tell_tasks(const Message& message);

  void request_savepoint(RequestSavepoint& request);
  void perform(const SavepointRequests::Actions& actions);
  void perform(const SavepointAction& action);
  void make_savepoint();
  void save_metadata();
  void discard_savepoint();

  // Has the executor call it, after the calls before; what it returns comes back as a message.
  template <class Call>
  void with_ledger(Call call);
  void on_ledger_reply();

  void on_allocated(AttemptAllocated& allocated);
  Status restore_region(Region& region, const Attempt& attempt);
  void open_tasks(Region& region);
  void spawn_task(const Region& region, std::size_t subtask);
  TaskStart start_of(const Region& region, const TaskBlueprint& blueprint) const;
  void spawn_enumerator(const Region& region, const TaskBlueprint& blueprint);
  void connect_task(std::size_t subtask);
  void connect_enumerator(std::size_t subtask);
  void close_tasks(std::size_t region);
  void on_failure(const TaskFailed& failed);
  void give_up(std::size_t region);
  void end(const Status& recorded);

  std::vector<TaskBlueprint> blueprints_;
  CoordinatorSettings settings_;
  const std::vector<TaskWiring> wirings_;
  const std::vector<std::size_t> region_of_task_;  // by TaskId
  std::vector<Region> regions_;
  JobStateMachine job_;
  CheckpointCoordinator checkpoints_;
  SavepointRequests savepoints_;
  const std::uint64_t fingerprint_;
  std::uint64_t epoch_ = 0;
  std::shared_ptr<JobLedger> ledger_;
  InlineExecutor at_once_;                          // of a ledger that does not block
  std::deque<std::function<void()>> ledger_calls_;  // the first is under way

  const std::size_t keyed_operators_;
  std::vector<caf::actor> subtasks_;     // by blueprint; null while there is none
  std::vector<caf::actor> enumerators_;  // by task; null where there is none
  bool running_ = false;                 // all tasks run: checkpoints are taken
  Timestamp triggered_at_{};             // of the checkpoint under way
  std::optional<CheckpointId> final_;    // that all sinks must commit
  SavepointOrder order_;                 // the last one
  RunningJob::SavepointTaken savepoint_taken_;
  std::shared_ptr<CheckpointStore> savepoint_;
  CheckpointName savepoint_name_;
  CheckpointMetadata savepoint_metadata_;
  Error failure_ = internal("none");  // the last one, for the log
  std::uint64_t due_number_ = 0;
  std::optional<std::chrono::nanoseconds> due_at_;  // when the CheckpointsDue that counts comes
};

}  // namespace millrace::detail
