// The coordinator of one job: deploys its tasks, watches over them, and reports how it ended. It
// only routes: what a task's fate means for the job is decided by JobStateMachine.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/messages.h"
#include "millrace/actors/task_blueprint.h"
#include "millrace/coordination/job_state.h"
#include "millrace/core/executor.h"
#include "millrace/core/log.h"

namespace millrace::detail {

struct CoordinatorSettings {
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  Logger log;
  bool blocking_tasks_have_threads = true;  // false where one thread runs everything, as it chooses
  std::function<void(Status)> report;       // called once, on the coordinator's thread, at the end
};

class CoordinatorActor final : public ActorBase {
 public:
  CoordinatorActor(caf::actor_config& config, std::vector<TaskBlueprint> blueprints,
                   CoordinatorSettings settings);

  caf::behavior make_behavior() override;

 private:
  void log_failure(const TaskFailed& failed) const;
  void deploy();
  void spawn_tasks();
  void spawn_enumerators();
  void connect_tasks();
  void act(JobAction action);
  template <caf::message_priority Priority, class Message>
  void tell_tasks(Message message);

  std::vector<TaskBlueprint> blueprints_;
  CoordinatorSettings settings_;
  JobStateMachine job_;
  std::vector<caf::actor> subtasks_;     // by blueprint
  std::vector<caf::actor> enumerators_;  // by task; null where there is none
};

}  // namespace millrace::detail
