#include "millrace/actors/task_host.h"

#include <caf/send.hpp>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "millrace/actors/control_relay.h"
#include "millrace/actors/enumerator_actor.h"
#include "millrace/actors/links/binary_forms.h"
#include "millrace/actors/split_relay.h"
#include "millrace/actors/task_actor.h"
#include "millrace/core/text.h"
#include "millrace/plan/subtasks.h"
#include "millrace/state/savepoint/savepoint_stores.h"

namespace millrace::detail {
namespace {

constexpr std::chrono::milliseconds kPauseOfAttempts{250};
constexpr std::size_t kMostProgress = std::size_t{1} << 20;  // in each heartbeat

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
      enumerators_(blueprints_.front().job->plan.tasks.size()),
      address_{.identity = settings_.identity} {}

caf::behavior TaskHost::make_behavior() {
  if (settings_.linked) {
    links_ = settings_.linked->spawn_links(caf::actor_cast<caf::actor>(this));
    send(this, ProgressDue{});
  }
  return {
      [this](const Serve& serve) {
        coordinator_ = serve.coordinator;
        send(coordinator_, ready());
      },
      if_from_coordinator<OpenTasks>(),
      if_from_coordinator<StartTasks>(),
      [this](const CloseTasks& order) {
        const auto sender = current_sender();
        if (sender && (sender == coordinator_ || sender == lost_)) close(order.attempt);
      },
      if_from_coordinator<Trigger>(),
      if_from_coordinator<CompleteCheckpoint>(),
      if_from_coordinator<AbortCheckpoint>(),
      if_from_coordinator<ResumeSources>(),
      if_from_coordinator<Drain>(),
      [this](OriginFound& found) { on_origin(found); },
      pass_on<TaskOpened>(),
      pass_on<TaskFinished>(),
      pass_on<TaskFailed>(),
      [this](const TaskClosed& closed) {
        tasks_[closed.from.subtask.value()] = nullptr;
        report(closed);
      },
      pass_on<CheckpointAcknowledged>(),
      pass_on<CheckpointDeclined>(),
      pass_on<CheckpointCommitted>(),
      pass_on<EnumeratorFailed>(),
      pass_on<SplitsAcknowledged>(),
      [this](const ServeOver& order) { serve_over(order); },
      [this](const FollowCoordinator& order) { follow(order); },
      [this](LookForCoordinator) { look_for_coordinator(); },
      [this](ProgressDue) { note_progress(); },
      [this](const Listening& listening) { on_listening(listening); },
      [this](const LinkUp& up) { on_link(up); },
      [this](const LinkDown& down) { on_link_lost(down); },
      [this](const ConnectFailed& failed) { on_no_link(failed); },
      [this](const ReceiversConfirmed& confirmed) {
        const auto found = attempts_.find(confirmed.attempt.attempt);
        if (found != attempts_.end()) connect(found->second);
      },
      [this](ControlArrived& arrived) {
        if (arrived.link == control_) send(coordinator_, std::move(arrived));
      },
      [this](const LinkRelieved& relieved) { on_room(relieved.link); },
      [](const LinkCongested&) {},
      [](const ProgressArrived&) {},
  };
}

// Tasks, links and coordinator know this actor. What is still there of it has nobody any more.
void TaskHost::on_exit() {
  const auto end = [](const caf::actor& actor) {
    if (actor) caf::anon_send_exit(actor, caf::exit_reason::kill);
  };
  std::ranges::for_each(tasks_, end);
  std::ranges::for_each(enumerators_, end);
  for (const auto& [id, attempt] : attempts_) {
    for (const auto& [reader, relay] : attempt.relays) end(relay);
  }
  if (control_) end(coordinator_);
  if (links_) caf::anon_send(links_, StopLinks{});
  coordinator_ = nullptr;
  lost_ = nullptr;
  links_ = nullptr;
  attempts_.clear();
  tasks_.clear();
  enumerators_.clear();
}

// --- what is known of tasks ---

// What comes later in a task's life stays: the word that others have started may come behind it.
void TaskHost::note(const TaskAddress& task, TaskCondition condition) {
  const auto held = held_.find(task.subtask);
  if (held == held_.end() || held->second.task != task) return;
  held->second.condition = std::max(held->second.condition, condition);
}

// Nobody can adopt what lacks a task: without a coordinator the others would be in the way of those
// that come after them.
void TaskHost::note(const TaskFailed& failed) {
  note(failed.from, TaskCondition::kFailed);
  if (!coordinator_) close(failed.from.attempt);
}

void TaskHost::note(const TaskClosed& closed) {
  const auto held = held_.find(closed.from.subtask);
  const bool told = coordinator_ != nullptr;  // otherwise the next one must learn what is missing
  if (told && held != held_.end() && held->second.task == closed.from) held_.erase(held);
}

void TaskHost::note(const EnumeratorFailed& failed) {
  note({first_of(failed.from.task), failed.from.attempt}, TaskCondition::kFailed);
}

HostReady TaskHost::ready() const {
  HostReady ready{.address = address_, .triggered = triggered_, .drained = drained_};
  if (settings_.linked) ready.plan = settings_.linked->plan;
  for (const auto& [subtask, held] : held_) ready.tasks.push_back(held);
  return ready;
}

void TaskHost::note_progress() {
  delayed_send(this, settings_.linked->heartbeat, ProgressDue{});
  HostProgress progress;
  for (const auto& [subtask, held] : held_) {
    const TaskMetrics& metrics = *blueprints_[subtask.value()].metrics;
    progress.tasks.push_back({.task = held.task,
                              .records_in = metrics.records_in.value(),
                              .records_out = metrics.records_out.value()});
  }
  const Result<std::string> bytes = encode(HostReport(std::move(progress)));
  if (bytes && bytes->size() <= kMostProgress) send(links_, SetProgress{*bytes});
}

// --- attempts ---

void TaskHost::open(OpenTasks& order) {
  const AttemptId id = order.attempt;
  const Status well = check_order(order);
  drained_ = false;
  Attempt& attempt = attempts_[id] = {.order = std::move(order)};
  for (const TaskOrder& task : attempt.order.tasks) {
    held_.insert_or_assign(task.subtask, HeldTask{{task.subtask, id}, TaskCondition::kOpening});
  }
  if (!well) return fail(id, well.error());
  std::map<std::string, HostAddress> addresses;
  for (const auto& [subtask, host] : attempt.order.elsewhere) {
    const HostAddress& address = attempt.order.hosts[host];
    attempt.elsewhere.emplace(subtask, address.identity);
    addresses.emplace(address.identity, address);
  }
  std::set<std::string> needed;
  for (const TaskOrder& task : attempt.order.tasks) {
    needed.merge(hosts_of_peers(attempt, task.subtask));
  }
  host_links_.need(id, needed);
  leave_useless_links(attempt.order);
  for (const std::string& host : needed) {
    const HostAddress& address = addresses.at(host);
    send(links_, ConnectLink{{address.host, address.port}, {Role::kHost, host}});
  }
  if (!attempt.order.origin.empty()) {
    attempt.looks_for_origin = true;
    look_for_origin(attempt.order);
  }
  go_on(id);
}

// A host that was given up may run on, cut off from its coordinator, and what it has locked is in
// the way of those that run its tasks now. Without its peers it lets go of it.
void TaskHost::leave_useless_links(const OpenTasks& order) {
  std::set<std::string> hosts;
  for (const HostAddress& host : order.hosts) hosts.insert(host.identity);
  for (const LinkId link : host_links_.take_useless(hosts)) {
    send(links_, CloseLink{link, cancelled("its tasks run on another host now")});
  }
}

Status TaskHost::check_order(const OpenTasks& order) const {
  const auto is_known = [&](SubtaskId subtask) { return subtask.value() < blueprints_.size(); };
  const bool fits = std::ranges::all_of(order.tasks, is_known, &TaskOrder::subtask) &&
                    std::ranges::all_of(order.elsewhere, is_known, &TaskElsewhere::subtask) &&
                    std::ranges::all_of(order.enumerators, [&](const EnumeratorOrder& enumerator) {
                      return enumerator.task.value() < enumerators_.size();
                    });
  if (!fits || order.tasks.empty()) {
    return invalid_argument(concat("host ", in_quotes(settings_.identity),
                                   " has another plan than its coordinator: was the job started "
                                   "with other arguments there?"));
  }
  if (order.elsewhere.empty()) return {};
  if (!links_) return internal("a host without links was to share a job with others");
  return check_binary_forms(*blueprints_.front().job);
}

void TaskHost::look_for_origin(const OpenTasks& order) {
  settings_.executor->execute([stores = settings_.execution.savepoints, path = order.origin,
                               attempt = order.attempt, self = caf::actor_cast<caf::actor>(this)] {
    Result<FoundSnapshot> found = stores->find(path);
    caf::anon_send(self, found ? OriginFound{attempt, std::move(found->store)}
                               : OriginFound{attempt, found.error()});
  });
}

void TaskHost::on_origin(OriginFound& found) {
  const auto waiting = attempts_.find(found.attempt);
  if (waiting == attempts_.end()) return;
  if (!found.store) return fail(found.attempt, found.store.error());
  waiting->second.origin = *std::move(found.store);
  waiting->second.looks_for_origin = false;
  go_on(found.attempt);
}

// As soon as all is there that was waited for.
void TaskHost::go_on(AttemptId id) {
  Attempt& attempt = attempts_.at(id);
  if (attempt.made || attempt.failed) return;
  if (attempt.looks_for_origin || !host_links_.complete(id)) return;
  make_tasks(attempt);
  attempt.elsewhere.empty() ? connect(attempt) : open_receivers(attempt);
}

void TaskHost::make_tasks(Attempt& attempt) {
  attempt.made = true;
  for (TaskOrder& task : attempt.order.tasks) spawn_task(task, attempt);
  for (EnumeratorOrder& enumerator : attempt.order.enumerators) {
    spawn_enumerator(enumerator, attempt.order.attempt);
  }
  spawn_relays(attempt);
}

TaskStart TaskHost::start_of(const Attempt& attempt) const {
  const ExecutionSettings& execution = settings_.execution;
  return {.epoch = attempt.order.epoch,
          .mode = execution.checkpoints.mode,
          .state = {.stores = execution.state_stores,
                    .checkpoints = execution.checkpoint_store,
                    .executor = settings_.executor,
                    .memory = execution.state_memory / std::max<std::size_t>(1, keyed_operators_),
                    .origin = attempt.origin},
          .savepoints = execution.savepoints,
          .checkpoint = attempt.order.checkpoint};
}

void TaskHost::spawn_task(TaskOrder& task, const Attempt& attempt) {
  const TaskBlueprint& blueprint = blueprints_[task.subtask.value()];
  TaskPlace place{.coordinator = caf::actor_cast<caf::actor>(this),
                  .address = {task.subtask, attempt.order.attempt},
                  .clock = settings_.clock,
                  .crash_page = settings_.crash_page};
  TaskStart start = start_of(attempt);
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

// For each reader here whose enumerator is elsewhere, and each elsewhere whose enumerator is here.
void TaskHost::spawn_relays(Attempt& attempt) {
  for (const TaskOrder& task : attempt.order.tasks) {
    if (!has_splits(blueprints_.front().job->plan, blueprints_[task.subtask.value()].spec())) {
      continue;
    }
    const auto enumerator = attempt.elsewhere.find(first_of(task_of(task.subtask)));
    if (enumerator == attempt.elsewhere.end()) continue;
    spawn_relay(attempt, task.subtask, enumerator->second, tasks_[task.subtask.value()]);
  }
  for (const auto& [subtask, host] : attempt.elsewhere) {
    const caf::actor& enumerator = enumerators_[task_of(subtask).value()];
    if (!enumerator) continue;
    spawn_relay(attempt, subtask, host, enumerator);
    send(enumerator, ConnectReader{attempt.relays.at(subtask)});
  }
}

void TaskHost::spawn_relay(Attempt& attempt, SubtaskId reader, const std::string& host,
                           caf::actor local) {
  const AttemptId id = attempt.order.attempt;
  SplitRoute route{.attempt = {settings_.linked->job, id},
                   .reader = reader,
                   .link = host_links_.link(id, host).id,
                   .links = links_,
                   .pool = settings_.linked->pool};
  attempt.relays.emplace(reader, spawn<SplitRelay>(std::move(route), std::move(local)));
}

void TaskHost::connect(const Attempt& attempt) {
  for (const TaskOrder& task : attempt.order.tasks) connect(attempt, task.subtask);
}

template <class Message>
void TaskHost::tell_tasks(const Attempt& attempt, const Message& message) {
  for (const TaskOrder& order : attempt.order.tasks) {
    const caf::actor& task = tasks_[order.subtask.value()];
    if (task) send(task, message);
  }
}

void TaskHost::connect(const Attempt& attempt, SubtaskId subtask) {
  auto peers = std::make_shared<TaskPeers>();
  const auto peer = [&](const PeerAddress& address) {
    Peer found{
        .subtask = address.subtask, .exchange = address.exchange, .channel = address.channel};
    const auto elsewhere = attempt.elsewhere.find(address.subtask);
    if (elsewhere == attempt.elsewhere.end()) {
      found.actor = tasks_[address.subtask.value()];
    } else {
      const HostLink& link = host_links_.link(attempt.order.attempt, elsewhere->second);
      found.link = link.id;
      peers->loads.emplace(link.id, link.load);
    }
    return found;
  };
  const caf::actor& task = tasks_[subtask.value()];
  if (!task) return;  // it has ended already
  const TaskWiring& wiring = wirings_[subtask.value()];
  for (const std::vector<PeerAddress>& channels : wiring.receivers) {
    std::ranges::transform(channels, std::back_inserter(peers->receivers.emplace_back()), peer);
  }
  std::ranges::transform(wiring.senders, std::back_inserter(peers->senders), peer);
  const auto relay = attempt.relays.find(subtask);
  const bool remote = relay != attempt.relays.end();
  const caf::actor& enumerator = enumerators_[task_of(subtask).value()];
  peers->enumerator = remote ? relay->second : enumerator;
  if (enumerator && !remote) send(enumerator, ConnectReader{task});
  if (!attempt.elsewhere.empty()) {
    peers->job = settings_.linked->job;
    peers->links = links_;
    peers->pool = settings_.linked->pool;
  }
  send(task, Connect{std::move(peers)});
}

void TaskHost::start(AttemptId attempt) {
  const auto found = attempts_.find(attempt);
  if (found == attempts_.end()) return;
  tell_tasks(found->second, Start{});
  for (const TaskOrder& task : found->second.order.tasks) {
    note({task.subtask, attempt}, TaskCondition::kRunning);
  }
}

void TaskHost::obey(const Drain& order) {
  drained_ = true;
  tell_all(order);
}

void TaskHost::trigger(const Trigger& trigger) {
  triggered_ = std::max(triggered_, trigger.barrier.checkpoint);
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

void TaskHost::close(AttemptId id) {
  const auto closing = attempts_.extract(id);
  if (closing.empty()) return;
  const Attempt& attempt = closing.mapped();
  host_links_.forget(id);
  if (!attempt.elsewhere.empty()) send(links_, CloseAttempt{{settings_.linked->job, id}});
  for (const auto& [reader, relay] : attempt.relays) {
    send_exit(relay, caf::exit_reason::user_shutdown);
  }
  for (const TaskOrder& order : attempt.order.tasks) {
    if (!attempt.made) {
      report(TaskClosed{{order.subtask, id}});
      continue;
    }
    note({order.subtask, id}, TaskCondition::kClosing);
    caf::actor& enumerator = enumerators_[task_of(order.subtask).value()];
    if (enumerator) send_exit(enumerator, caf::exit_reason::user_shutdown);
    enumerator = nullptr;
    const caf::actor& task = tasks_[order.subtask.value()];
    if (task) send<caf::message_priority::high>(task, Close{});
  }
}

// Of an attempt whose tasks are not made.
void TaskHost::fail(AttemptId id, const Error& error) {
  Attempt& attempt = attempts_.at(id);
  if (attempt.order.tasks.empty() || std::exchange(attempt.failed, true)) return;
  report(TaskFailed{{attempt.order.tasks.front().subtask, id}, error});
}

// --- links ---

void TaskHost::serve_over(const ServeOver& order) {
  coordinator_at_ = order.coordinator;
  send(links_, Listen{order.listen});
}

void TaskHost::on_listening(const Listening& listening) {
  if (!listening.address) return end(listening.address.error());
  address_.host = listening.address->host;
  address_.port = listening.address->port;
  look_for_coordinator();
}

// Whoever is elected later has the say, however the words of several come.
void TaskHost::follow(const FollowCoordinator& order) {
  if (order.epoch <= epoch_ || !settings_.linked->outlives_coordinator) return;
  epoch_ = order.epoch;
  lost_ = nullptr;
  coordinator_at_ = order.coordinator;
  leave_coordinator();
  if (address_.port != 0) look_for_coordinator();
}

void TaskHost::look_for_coordinator() {
  if (control_ || looked_for_ == coordinator_at_) return;
  looked_for_ = coordinator_at_;
  send(links_, ConnectLink{coordinator_at_, {}});
}

void TaskHost::on_coordinator(const LinkUp& up) {
  if (up.address == looked_for_) looked_for_.reset();
  if (control_ || up.address != coordinator_at_) {
    return send(links_, CloseLink{up.link, cancelled("another process is its coordinator")});
  }
  has_served_ = true;
  lost_ = nullptr;
  control_ = up.link;
  coordinator_ = spawn<RemoteCoordinator>(links_, up.link, caf::actor_cast<caf::actor>(this));
  send(coordinator_, ready());
}

// Its tasks run on, until the next one is there. What came last on the link may be with its relay
// still, and nobody says it again.
void TaskHost::on_coordinator_lost(const Error& error) {
  lost_ = coordinator_;
  leave_coordinator();
  if (!settings_.linked->outlives_coordinator) {
    return end(error.with_context("the coordinator is gone"));
  }
  settings_.log.warn("the job's coordinator is gone; its tasks run on", {{"why", error.message()}});
}

// One that it was told of may be about to come up.
void TaskHost::on_no_coordinator(const ConnectFailed& failed) {
  if (failed.address == looked_for_) looked_for_.reset();
  if (control_ || failed.address != coordinator_at_) return;
  if (!has_served_) return end(failed.error);
  delayed_send(this, kPauseOfAttempts, LookForCoordinator{});
}

void TaskHost::leave_coordinator() {
  if (!control_) return;
  control_.reset();
  send_exit(std::exchange(coordinator_, nullptr), caf::exit_reason::user_shutdown);
}

void TaskHost::on_link(const LinkUp& up) {
  if (up.peer.role != Role::kHost) return on_coordinator(up);
  for (const AttemptId attempt : host_links_.on_up(up.peer.identity, {up.link, up.load})) {
    go_on(attempt);
  }
}

// The tasks at its ends fail. However it came to that, with another link they may go on.
void TaskHost::on_link_lost(const LinkDown& down) {
  if (down.link == control_) return on_coordinator_lost(down.error);
  const Error error = unavailable(
      concat("the link to host ", in_quotes(down.identity), " is lost: ", down.error.message()));
  for (const AttemptId id : host_links_.attempts_with(down.link)) {
    const Attempt& attempt = attempts_.at(id);
    if (!attempt.made) {
      fail(id, error);
      continue;
    }
    for (const TaskOrder& order : attempt.order.tasks) {
      const caf::actor& task = tasks_[order.subtask.value()];
      if (!task || !hosts_of_peers(attempt, order.subtask).contains(down.identity)) continue;
      send(task, LinkDown{down.link, down.identity, error});
    }
  }
}

void TaskHost::on_room(LinkId link) {
  for (const AttemptId id : host_links_.attempts_with(link)) {
    const Attempt& attempt = attempts_.at(id);
    if (attempt.made) tell_tasks(attempt, LinkRelieved{link});
  }
}

void TaskHost::on_no_link(const ConnectFailed& failed) {
  if (failed.expected.identity.empty()) return on_no_coordinator(failed);
  const std::string& host = failed.expected.identity;
  for (const AttemptId attempt : host_links_.on_failed(host)) {
    fail(attempt, unavailable(concat("there is no link to host ", in_quotes(host), ": ",
                                     failed.error.message())));
  }
}

void TaskHost::open_receivers(const Attempt& attempt) {
  const JobAttempt id{settings_.linked->job, attempt.order.attempt};
  for (const TaskOrder& task : attempt.order.tasks) {
    send(links_, OpenReceiver{id, {task.subtask}, tasks_[task.subtask.value()]});
  }
  for (const auto& [reader, relay] : attempt.relays) {
    send(links_, OpenReceiver{id, {reader, true}, relay});
  }
  send(links_, ConfirmReceivers{id});
}

SubtaskId TaskHost::first_of(TaskId task) const {
  const auto first = std::ranges::find(blueprints_, task, &TaskBlueprint::task);
  return SubtaskId(static_cast<std::uint32_t>(first - blueprints_.begin()));
}

std::set<std::string> TaskHost::hosts_of_peers(const Attempt& attempt, SubtaskId subtask) const {
  std::set<std::string> hosts;
  const auto add = [&](SubtaskId peer) {
    const auto found = attempt.elsewhere.find(peer);
    if (found != attempt.elsewhere.end()) hosts.insert(found->second);
  };
  if (attempt.elsewhere.empty()) return hosts;
  const TaskWiring& wiring = wirings_[subtask.value()];
  for (const auto& channels : wiring.receivers) {
    for (const PeerAddress& receiver : channels) add(receiver.subtask);
  }
  for (const PeerAddress& sender : wiring.senders) add(sender.subtask);
  const TaskBlueprint& blueprint = blueprints_[subtask.value()];
  if (!has_splits(blueprint.job->plan, blueprint.spec())) return hosts;
  const SubtaskId first = first_of(blueprint.task);
  add(first);
  if (subtask != first) return hosts;
  for (std::uint32_t i = 1; i < blueprint.spec().parallelism; ++i) {
    add(SubtaskId(first.value() + i));
  }
  return hosts;
}

void TaskHost::end(const Error& error) {
  settings_.linked->ended(error);
  quit();
}

}  // namespace millrace::detail
