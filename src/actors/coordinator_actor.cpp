#include "millrace/actors/coordinator_actor.h"

#include <ranges>

#include "millrace/actors/enumerator_actor.h"
#include "millrace/actors/task_actor.h"
#include "millrace/core/text.h"

namespace millrace::detail {

CoordinatorActor::CoordinatorActor(caf::actor_config& config, std::vector<TaskBlueprint> blueprints,
                                   CoordinatorSettings settings)
    : ActorBase(config),
      blueprints_(std::move(blueprints)),
      settings_(std::move(settings)),
      job_(blueprints_.size()) {}

caf::behavior CoordinatorActor::make_behavior() {
  return {
      [this](Deploy) { deploy(); },
      [this](TaskFinished) { act(job_.task_finished()); },
      [this](TaskFailed& failed) {
        log_failure(failed);
        act(job_.task_failed(std::move(failed.error)));
      },
      [this](TaskClosed) { act(job_.task_closed()); },
      [this](CancelJob) { act(job_.cancel()); },
  };
}

void CoordinatorActor::log_failure(const TaskFailed& failed) const {
  if (failed.from) {
    settings_.log.debug("task failed", {{"task", failed.from->task},
                                        {"subtask", failed.from->subtask},
                                        {"error", failed.error.message()}});
  } else {
    settings_.log.debug("enumerator failed", {{"error", failed.error.message()}});
  }
}

void CoordinatorActor::deploy() {
  spawn_tasks();
  spawn_enumerators();
  connect_tasks();
  // Consumers first: a task that starts finds its receivers ready.
  for (const caf::actor& task : std::views::reverse(tasks_)) send(task, Start{});
}

void CoordinatorActor::spawn_tasks() {
  const auto self = caf::actor_cast<caf::actor>(this);
  for (const TaskBlueprint& blueprint : blueprints_) {
    if (blueprint.subtask == SubtaskIndex(0)) first_of_.push_back(tasks_.size());
    tasks_.push_back(blueprint.spec().blocking && settings_.blocking_tasks_have_threads
                         ? spawn<TaskActor, caf::detached>(blueprint, self, *settings_.clock)
                         : spawn<TaskActor>(blueprint, self, *settings_.clock));
  }
}

void CoordinatorActor::spawn_enumerators() {
  const DeployedJob& job = *blueprints_.front().job;
  for (const TaskSpec& task : job.plan.tasks) {
    const OperatorCode& head = job.code.operators.at(task.operators.front());
    if (!head.enumerator) {
      enumerators_.emplace_back();
      continue;
    }
    const std::string& name = find_operator(job.plan.logical, task.operators.front())->name;
    enumerators_.push_back(spawn<EnumeratorActor>(name, head.enumerator, task.parallelism,
                                                  caf::actor_cast<caf::actor>(this)));
  }
}

void CoordinatorActor::connect_tasks() {
  std::vector<std::shared_ptr<TaskPeers>> peers;
  for (const TaskBlueprint& blueprint : blueprints_) {
    auto of_task = std::make_shared<TaskPeers>();
    of_task->receivers.resize(outgoing_edges(blueprint.job->plan, blueprint.task).size());
    of_task->enumerator = enumerators_[blueprint.task.value()];
    peers.push_back(std::move(of_task));
  }
  for (std::size_t receiver = 0; receiver < blueprints_.size(); ++receiver) {
    const std::vector<ChannelSpec>& inputs = blueprints_[receiver].inputs;
    for (std::uint32_t input = 0; input < inputs.size(); ++input) {
      const ChannelSpec& channel = inputs[input];
      const std::size_t sender = first_of_[channel.from.value()] + channel.from_subtask.value();
      const std::uint32_t exchange =
          exchange_number(blueprints_[sender].job->plan, channel.from, channel.edge);
      auto& receivers = peers[sender]->receivers[exchange];
      peers[receiver]->senders.push_back(
          {tasks_[sender], exchange, static_cast<std::uint32_t>(receivers.size())});
      receivers.push_back({tasks_[receiver], 0, input});
    }
  }
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    send(tasks_[i], Connect{std::shared_ptr<const TaskPeers>(std::move(peers[i]))});
  }
}

void CoordinatorActor::act(JobAction action) {
  switch (action) {
    case JobAction::kNone:
      break;
    case JobAction::kCommitTasks:
      tell_tasks(Commit{});
      break;
    case JobAction::kCancelTasks:
      tell_tasks(Cancel{});
      break;
    case JobAction::kReport:
      settings_.log.debug("job ended", {{"state", to_string(job_.state())}});
      for (const caf::actor& enumerator : enumerators_) {
        if (enumerator) send_exit(enumerator, caf::exit_reason::user_shutdown);
      }
      tasks_.clear();
      enumerators_.clear();
      settings_.report(job_.result());
      quit();
      break;
  }
}

template <class Message>
void CoordinatorActor::tell_tasks(Message message) {
  for (const caf::actor& task : tasks_) send(task, message);
}

}  // namespace millrace::detail
