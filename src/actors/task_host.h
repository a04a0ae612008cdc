// Makes a job's tasks and their enumerators from its code, as the coordinator says, connects them
// and answers for them. It only routes: what they report goes on to the coordinator, which decides.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/messages.h"
#include "millrace/actors/task_blueprint.h"
#include "millrace/core/executor.h"
#include "millrace/core/log.h"
#include "millrace/plan/execution_settings.h"

namespace millrace::detail {

struct TaskHostSettings {
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  Logger log;
  ExecutionSettings execution;
  bool blocking_tasks_have_threads = true;  // false where one thread runs everything, as it chooses
};

class TaskHost final : public ActorBase {
 public:
  TaskHost(caf::actor_config& config, std::vector<TaskBlueprint> blueprints,
           TaskHostSettings settings);

  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  template <class Message>
  void tell_tasks(const Message& message);

  void open(OpenTasks& order);
  void look_for_origin(OpenTasks& order);
  void on_origin(OriginFound& found);
  void make_tasks(OpenTasks& order, const std::shared_ptr<CheckpointStore>& origin);
  void spawn_task(TaskOrder& task, AttemptId attempt, TaskStart start);
  void spawn_enumerator(EnumeratorOrder& order, AttemptId attempt);
  void connect(SubtaskId subtask);
  TaskStart start_of(const OpenTasks& order) const;
  void start(AttemptId attempt);
  void trigger(const Trigger& trigger);
  void close(AttemptId attempt);

  const std::vector<TaskBlueprint> blueprints_;  // by SubtaskId
  const TaskHostSettings settings_;
  const std::vector<TaskWiring> wirings_;
  const std::size_t keyed_operators_;  // which share the memory for keyed state
  caf::actor coordinator_;
  std::map<AttemptId, std::vector<SubtaskId>> attempts_;  // until they are told to close
  std::map<AttemptId, OpenTasks> waiting_;                // for their origin
  std::vector<caf::actor> tasks_;                         // by SubtaskId; null while there is none
  std::vector<caf::actor> enumerators_;                   // by TaskId; null where there is none
};

}  // namespace millrace::detail
