#include "millrace/actors/coordinator_actor.h"

#include <algorithm>
#include <iterator>
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
  for (const caf::actor& task : std::views::reverse(subtasks_)) send(task, Start{});
}

void CoordinatorActor::spawn_tasks() {
  const auto self = caf::actor_cast<caf::actor>(this);
  for (const TaskBlueprint& blueprint : blueprints_) {
    subtasks_.push_back(blueprint.spec().blocking && settings_.blocking_tasks_have_threads
                            ? spawn<TaskActor, caf::detached>(blueprint, self, *settings_.clock)
                            : spawn<TaskActor>(blueprint, self, *settings_.clock));
  }
}

void CoordinatorActor::spawn_enumerators() {
  const DeployedJob& job = *blueprints_.front().job;
  for (const TaskSpec& task : job.plan.tasks) {
    const OperatorSpec& head = job.plan.logical.at(task.operators.front());
    const EnumeratorFactory& enumerator = job.code.operators.at(head.id).enumerator;
    if (!enumerator) {
      enumerators_.emplace_back();
      continue;
    }
    enumerators_.push_back(
        spawn<EnumeratorActor>(EnumeratedSource{head.name, enumerator, task.parallelism},
                               caf::actor_cast<caf::actor>(this), *settings_.executor));
  }
}

void CoordinatorActor::connect_tasks() {
  const auto peer = [&](const PeerAddress& address) {
    return Peer{subtasks_[address.subtask], address.exchange, address.channel};
  };
  const std::vector<TaskWiring> wirings = wire_up(blueprints_);
  for (std::size_t i = 0; i < wirings.size(); ++i) {
    auto peers = std::make_shared<TaskPeers>();
    for (const std::vector<PeerAddress>& channels : wirings[i].receivers) {
      std::ranges::transform(channels, std::back_inserter(peers->receivers.emplace_back()), peer);
    }
    std::ranges::transform(wirings[i].senders, std::back_inserter(peers->senders), peer);
    peers->enumerator = enumerators_[blueprints_[i].task.value()];
    send(subtasks_[i], Connect{std::move(peers)});
  }
}

void CoordinatorActor::act(JobAction action) {
  switch (action) {
    case JobAction::kNone:
      break;
    case JobAction::kCommitTasks:
      tell_tasks<caf::message_priority::normal>(Commit{});
      break;
    case JobAction::kCancelTasks:
      tell_tasks<caf::message_priority::high>(Cancel{});  // not behind the records
      break;
    case JobAction::kReport:
      settings_.log.debug("job ended", {{"state", to_string(job_.state())}});
      for (const caf::actor& enumerator : enumerators_) {
        if (enumerator) send_exit(enumerator, caf::exit_reason::user_shutdown);
      }
      subtasks_.clear();
      enumerators_.clear();
      settings_.report(job_.result());
      quit();
      break;
  }
}

template <caf::message_priority Priority, class Message>
void CoordinatorActor::tell_tasks(Message message) {
  for (const caf::actor& task : subtasks_) send<Priority>(task, message);
}

}  // namespace millrace::detail
