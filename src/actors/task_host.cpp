#include "millrace/actors/task_host.h"

#include <caf/send.hpp>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "millrace/actors/enumerator_actor.h"
#include "millrace/actors/task_actor.h"
#include "millrace/plan/subtasks.h"
#include "millrace/state/savepoint/savepoint_stores.h"

namespace millrace::detail {
namespace {

std::size_t count_keyed(std::span<const TaskBlueprint> blueprints) {
  return std::accumulate(blueprints.begin(), blueprints.end(), std::size_t{0},
                         [](std::size_t sum, const TaskBlueprint& blueprint) {
                           const Subtask subtask{blueprint.task, blueprint.subtask};
                           return sum + count_keyed(blueprint.job->plan, subtask);
                         });
}

}  // namespace

TaskHost::TaskHost(caf::actor_config& config, std::vector<TaskBlueprint> blueprints,
                   TaskHostSettings settings)
    : ActorBase(config),
      blueprints_(std::move(blueprints)),
      settings_(std::move(settings)),
      wirings_(wire_up(blueprints_)),
      keyed_operators_(count_keyed(blueprints_)),
      tasks_(blueprints_.size()),
      enumerators_(blueprints_.front().job->plan.tasks.size()) {}

caf::behavior TaskHost::make_behavior() {
  return {
      [this](const Serve& serve) { coordinator_ = serve.coordinator; },
      [this](OpenTasks& order) { open(order); },
      [this](OriginFound& found) { on_origin(found); },
      [this](const StartTasks& started) { start(started.attempt); },
      [this](const CloseTasks& closed) { close(closed.attempt); },
      [this](const Trigger& trigger) { this->trigger(trigger); },
      [this](CompleteCheckpoint complete) { tell_tasks(complete); },
      [this](AbortCheckpoint abort) { tell_tasks(abort); },
      [this](ResumeSources resume) { tell_tasks(resume); },
      [this](Drain drain) { tell_tasks(drain); },
      [this](const TaskOpened& opened) { send(coordinator_, opened); },
      [this](const TaskFinished& finished) { send(coordinator_, finished); },
      [this](TaskFailed& failed) { send(coordinator_, std::move(failed)); },
      [this](const TaskClosed& closed) {
        tasks_[closed.from.subtask.value()] = nullptr;
        send(coordinator_, closed);
      },
      [this](CheckpointAcknowledged& acknowledged) { send(coordinator_, std::move(acknowledged)); },
      [this](CheckpointDeclined& declined) { send(coordinator_, std::move(declined)); },
      [this](const CheckpointCommitted& committed) { send(coordinator_, committed); },
      [this](EnumeratorFailed& failed) { send(coordinator_, std::move(failed)); },
      [this](SplitsAcknowledged& acknowledged) { send(coordinator_, std::move(acknowledged)); },
  };
}

// Tasks and coordinator know this actor.
void TaskHost::on_exit() {
  coordinator_ = nullptr;
  tasks_.clear();
  enumerators_.clear();
}

void TaskHost::open(OpenTasks& order) {
  std::vector<SubtaskId>& subtasks = attempts_[order.attempt];
  for (const TaskOrder& task : order.tasks) subtasks.push_back(task.subtask);
  order.origin.empty() ? make_tasks(order, nullptr) : look_for_origin(order);
}

void TaskHost::look_for_origin(OpenTasks& order) {
  settings_.executor->execute([stores = settings_.execution.savepoints, path = order.origin,
                               attempt = order.attempt, self = caf::actor_cast<caf::actor>(this)] {
    Result<FoundSnapshot> found = stores->find(path);
    caf::anon_send(self, found ? OriginFound{attempt, std::move(found->store)}
                               : OriginFound{attempt, found.error()});
  });
  waiting_.emplace(order.attempt, std::move(order));
}

void TaskHost::on_origin(OriginFound& found) {
  const auto waiting = waiting_.find(found.attempt);
  if (waiting == waiting_.end()) return;
  if (!found.store) {
    const SubtaskId first = waiting->second.tasks.front().subtask;
    return send(coordinator_, TaskFailed{{first, found.attempt}, found.store.error()});
  }
  OpenTasks order = std::move(waiting->second);
  waiting_.erase(waiting);
  make_tasks(order, *found.store);
}

void TaskHost::make_tasks(OpenTasks& order, const std::shared_ptr<CheckpointStore>& origin) {
  for (TaskOrder& task : order.tasks) {
    TaskStart start = start_of(order);
    start.state.origin = origin;
    spawn_task(task, order.attempt, std::move(start));
  }
  for (EnumeratorOrder& enumerator : order.enumerators) {
    spawn_enumerator(enumerator, order.attempt);
  }
  for (const TaskOrder& task : order.tasks) connect(task.subtask);
}

TaskStart TaskHost::start_of(const OpenTasks& order) const {
  const ExecutionSettings& execution = settings_.execution;
  return {.epoch = order.epoch,
          .mode = execution.checkpoints.mode,
          .state = {.stores = execution.state_stores,
                    .checkpoints = execution.checkpoint_store,
                    .executor = settings_.executor,
                    .memory = execution.state_memory / std::max<std::size_t>(1, keyed_operators_)},
          .savepoints = execution.savepoints,
          .checkpoint = order.checkpoint};
}

void TaskHost::spawn_task(TaskOrder& task, AttemptId attempt, TaskStart start) {
  const TaskBlueprint& blueprint = blueprints_[task.subtask.value()];
  TaskPlace place{caf::actor_cast<caf::actor>(this), {task.subtask, attempt}, settings_.clock};
  start.restored = std::move(task.restored);
  tasks_[task.subtask.value()] =
      blueprint.spec().blocking && settings_.blocking_tasks_have_threads
          ? spawn<TaskActor, caf::detached>(blueprint, std::move(place), std::move(start))
          : spawn<TaskActor>(blueprint, std::move(place), std::move(start));
}

void TaskHost::spawn_enumerator(EnumeratorOrder& order, AttemptId attempt) {
  const DeployedJob& job = *blueprints_.front().job;
  const TaskSpec& task = job.plan.at(order.task);
  const OperatorSpec& head = job.plan.logical.at(task.operators.front());
  EnumeratedSource source{head.name, job.code.operators.at(head.id).enumerator, task.parallelism,
                          std::move(order.restored)};
  enumerators_[order.task.value()] =
      spawn<EnumeratorActor>(std::move(source), EnumeratorAddress{order.task, attempt},
                             caf::actor_cast<caf::actor>(this), *settings_.executor);
}

void TaskHost::connect(SubtaskId subtask) {
  const auto peer = [&](const PeerAddress& address) {
    return Peer{tasks_[address.subtask.value()], address.exchange, address.channel};
  };
  const TaskWiring& wiring = wirings_[subtask.value()];
  auto peers = std::make_shared<TaskPeers>();
  for (const std::vector<PeerAddress>& channels : wiring.receivers) {
    std::ranges::transform(channels, std::back_inserter(peers->receivers.emplace_back()), peer);
  }
  std::ranges::transform(wiring.senders, std::back_inserter(peers->senders), peer);
  const caf::actor& task = tasks_[subtask.value()];
  peers->enumerator = enumerators_[blueprints_[subtask.value()].task.value()];
  if (peers->enumerator) send(peers->enumerator, ConnectReader{task});
  send(task, Connect{std::move(peers)});
}

void TaskHost::start(AttemptId attempt) {
  const auto found = attempts_.find(attempt);
  if (found == attempts_.end()) return;
  for (const SubtaskId subtask : found->second) {
    if (tasks_[subtask.value()]) send(tasks_[subtask.value()], Start{});
  }
}

void TaskHost::trigger(const Trigger& trigger) {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const TaskBlueprint& blueprint = blueprints_[i];
    const bool directly =
        blueprint.inputs.empty() && !has_splits(blueprint.job->plan, blueprint.spec());
    if (directly && tasks_[i]) send(tasks_[i], trigger);
  }
  for (const caf::actor& enumerator : enumerators_) {
    if (enumerator) send(enumerator, trigger);
  }
}

void TaskHost::close(AttemptId attempt) {
  const auto closing = attempts_.extract(attempt);
  if (closing.empty()) return;
  const bool never_made = waiting_.erase(attempt) > 0;
  for (const SubtaskId subtask : closing.mapped()) {
    if (never_made) {
      send(coordinator_, TaskClosed{{subtask, attempt}});
      continue;
    }
    caf::actor& enumerator = enumerators_[blueprints_[subtask.value()].task.value()];
    if (enumerator) send_exit(enumerator, caf::exit_reason::user_shutdown);
    enumerator = nullptr;
    const caf::actor& task = tasks_[subtask.value()];
    if (task) send<caf::message_priority::high>(task, Close{});
  }
}

template <class Message>
void TaskHost::tell_tasks(const Message& message) {
  for (const caf::actor& task : tasks_) {
    if (task) send(task, message);
  }
}

}  // namespace millrace::detail
