#include "millrace/actors/coordinator_actor.h"

#include <caf/send.hpp>

#include <algorithm>
#include <iterator>

#include "millrace/actors/enumerator_actor.h"
#include "millrace/actors/task_actor.h"
#include "millrace/coordination/regions.h"
#include "millrace/core/text.h"
#include "millrace/plan/fingerprint.h"
#include "millrace/state/checkpoint_format.h"

namespace millrace::detail {
namespace {

const ExecutionPlan& plan_of(const std::vector<TaskBlueprint>& blueprints) {
  return blueprints.front().job->plan;
}

const OperatorSpec& head_of(const ExecutionPlan& plan, const TaskSpec& task) {
  return plan.logical.at(task.operators.front());
}

const EnumeratorFactory& enumerator_of(const DeployedJob& job, const TaskSpec& task) {
  return job.code.operators.at(head_of(job.plan, task).id).enumerator;
}

std::size_t count_enumerators(const DeployedJob& job) {
  return static_cast<std::size_t>(std::ranges::count_if(job.plan.tasks, [&](const TaskSpec& task) {
    return static_cast<bool>(enumerator_of(job, task));
  }));
}

std::vector<std::size_t> sizes_of_regions(const std::vector<TaskBlueprint>& blueprints) {
  const std::vector<std::size_t> regions = regions_of(plan_of(blueprints));
  std::vector<std::size_t> sizes(std::ranges::max(regions) + 1);
  for (const TaskBlueprint& blueprint : blueprints) ++sizes[regions[blueprint.task.value()]];
  return sizes;
}

// The part of a checkpoint's metadata that is a savepoint's: rows instead of files.
CheckpointMetadata take_savepoint(CheckpointMetadata& metadata) {
  CheckpointMetadata savepoint = metadata;
  for (TaskSnapshot& task : savepoint.tasks) {
    for (OperatorSnapshot& snapshot : task.operators) {
      for (KeyedSnapshot& keyed : snapshot.keyed) keyed.files.clear();
    }
  }
  for (TaskSnapshot& task : metadata.tasks) {
    for (OperatorSnapshot& snapshot : task.operators) {
      for (KeyedSnapshot& keyed : snapshot.keyed) keyed.rows.clear();
    }
  }
  return savepoint;
}

Error of_another_job(const CheckpointMetadata& metadata, const std::string& job) {
  return corruption(concat("its metadata is that of a checkpoint of job ", in_quotes(metadata.job),
                           ", not of ", in_quotes(job),
                           ": was it copied? Restore it from where it lay"));
}

// Operator instances that share the memory for keyed state.
std::size_t count_keyed(std::span<const TaskBlueprint> blueprints) {
  std::size_t count = 0;
  for (const TaskBlueprint& blueprint : blueprints) {
    for (const OperatorIndex index : blueprint.spec().operators) {
      count += !blueprint.job->plan.logical.at(index).key_schema.empty();
    }
  }
  return count;
}

}  // namespace

CoordinatorActor::CoordinatorActor(caf::actor_config& config, std::vector<TaskBlueprint> blueprints,
                                   CoordinatorSettings settings)
    : ActorBase(config),
      blueprints_(std::move(blueprints)),
      settings_(std::move(settings)),
      wirings_(wire_up(blueprints_)),
      region_of_task_(regions_of(plan_of(blueprints_))),
      job_(sizes_of_regions(blueprints_), settings_.execution.restart,
           Random(blueprints_.front().job->seed)),
      checkpoints_(settings_.execution.checkpoints, blueprints_.size(),
                   count_enumerators(*blueprints_.front().job)),
      savepoints_(blueprints_.size()),
      fingerprint_(fingerprint_number(plan_of(blueprints_).logical)),
      ledger_(std::make_shared<JobLedger>(plan_of(blueprints_).logical.job, settings_.execution)),
      ledger_calls_(*settings_.executor),
      keyed_operators_(count_keyed(blueprints_)),
      subtasks_(blueprints_.size()),
      enumerators_(plan_of(blueprints_).tasks.size()) {
  regions_.resize(std::ranges::max(region_of_task_) + 1);
  for (std::size_t i = 0; i < blueprints_.size(); ++i) {
    regions_[region_of_task_[blueprints_[i].task.value()]].subtasks.push_back(i);
  }
}

std::size_t CoordinatorActor::region_of(const TaskAddress& from) const {
  return region_of_task_[blueprints_[from.subtask].task.value()];
}

bool CoordinatorActor::is_current(const TaskAddress& from) const {
  return regions_[region_of(from)].attempt == from.attempt;
}

bool CoordinatorActor::is_current(const EnumeratorAddress& from) const {
  return regions_[region_of_task_[from.task.value()]].attempt == from.attempt;
}

caf::behavior CoordinatorActor::make_behavior() {
  return {
      [this](Deploy) { follow(job_.start()); },
      [this](CancelJob) { follow(job_.cancel()); },
      [this](AttemptAllocated& allocated) { on_allocated(allocated); },
      [this](const RestartDelayOver& over) { follow(job_.delay_over(over.region)); },
      [this](const ClosingTimedOut& late) {
        const bool waits =
            job_.closing(late.region) && regions_[late.region].attempt == late.attempt;
        if (waits) give_up(late.region);
      },
      [this](const TaskOpened& opened) {
        if (is_current(opened.from)) follow(job_.task_opened(region_of(opened.from)));
      },
      [this](const TaskFinished& finished) {
        if (is_current(finished.from)) follow(job_.task_finished(region_of(finished.from)));
      },
      [this](const TaskFailed& failed) { on_failure(failed); },
      [this](const EnumeratorFailed& failed) {
        if (!is_current(failed.from)) return;
        const std::size_t region = region_of_task_[failed.from.task.value()];
        follow(noted(failed.error, job_.splits_failed(region, failed.error, now())));
      },
      [this](const TaskClosed& closed) {
        if (!is_current(closed.from)) return;
        subtasks_[closed.from.subtask] = nullptr;
        follow(job_.task_closed(region_of(closed.from)));
      },
      [this](CheckpointAcknowledged& acknowledged) {
        if (!is_current(acknowledged.from)) return;
        follow(checkpoints_.acknowledge(
            acknowledged.checkpoint,
            {acknowledged.from.subtask, std::move(acknowledged.snapshot), acknowledged.savepoint},
            now()));
      },
      [this](SplitsAcknowledged& acknowledged) {
        if (!is_current(acknowledged.from)) return;
        const ExecutionPlan& plan = plan_of(blueprints_);
        follow(checkpoints_.acknowledge_splits(acknowledged.checkpoint,
                                               head_of(plan, plan.at(acknowledged.from.task)).name,
                                               std::move(acknowledged.splits)));
      },
      [this](const CheckpointDeclined& declined) {
        if (!is_current(declined.from)) return;
        follow(checkpoints_.decline(declined.checkpoint, declined.error, now()));
      },
      [this](const CheckpointCommitted& committed) {
        if (!is_current(committed.from)) return;
        if (committed.checkpoint == final_) {
          follow(job_.task_committed_final(region_of(committed.from)));
        }
        follow(savepoints_.committed(committed.checkpoint));
      },
      [this](const MetadataWritten& written) {
        follow(checkpoints_.metadata_written(written.checkpoint, written.status, now()));
      },
      [this](const PointerSwapped& swapped) {
        follow(checkpoints_.pointer_swapped(swapped.checkpoint, swapped.status, now()));
      },
      [this](RequestSavepoint& request) { request_savepoint(request); },
      [this](SavepointMade& made) {
        if (made.store) savepoint_ = *made.store;
        const Status status = made.store ? Status() : Status(made.store.error());
        follow(savepoints_.made(status, running_));
      },
      [this](const SavepointWritten& written) { follow(savepoints_.written(written.status)); },
      [this](const UnusedRemoved& removed) {
        if (removed.status) return;
        settings_.log.warn("cannot remove old checkpoints",
                           {{"error", removed.status.error().message()}});
      },
      [this](const EndRecorded& recorded) { end(recorded.status); },
      [this](const CheckpointsDue& due) {
        if (due.number != due_number_) return;
        due_at_.reset();
        follow(checkpoints_.tick(now()));
      },
  };
}

// The job's tasks know each other and this actor.
void CoordinatorActor::on_exit() {
  subtasks_.clear();
  enumerators_.clear();
}

// Does what the state machines ask for, and then what follows from their new states.
template <class Actions>
void CoordinatorActor::follow(Actions actions) {
  perform(std::move(actions));
  const bool running = job_.state() == JobState::kRunning;
  if (running != std::exchange(running_, running)) {
    running ? checkpoints_.resume(now()) : perform(checkpoints_.stop(now()));
    if (!running) perform(savepoints_.interrupted());
  }
  perform(checkpoints_.tick(now()));
  schedule_checkpoints();
}

void CoordinatorActor::schedule_checkpoints() {
  const std::optional<std::chrono::nanoseconds> at = checkpoints_.wake_at();
  if (!at || (due_at_ && *due_at_ <= *at)) return;
  due_at_ = at;
  delayed_send(this, std::max(*at, now()) - now(), CheckpointsDue{++due_number_});
}

void CoordinatorActor::perform(const JobStateMachine::Actions& actions) {
  for (const JobAction& action : actions) perform(action);
}

void CoordinatorActor::perform(const JobAction& action) {
  switch (action.kind) {
    case JobAction::Kind::kAllocate:
      return with_ledger([region = action.region](JobLedger& ledger) {
        return AttemptAllocated{region, ledger.next_attempt()};
      });
    case JobAction::Kind::kOpenTasks:
      return open_tasks(regions_[action.region]);
    case JobAction::Kind::kStartTasks:
      for (const std::size_t i : regions_[action.region].subtasks) send(subtasks_[i], Start{});
      return;
    case JobAction::Kind::kCloseTasks:
      return close_tasks(action.region);
    case JobAction::Kind::kWait:
      return delayed_send(this, action.delay, RestartDelayOver{action.region});
    case JobAction::Kind::kFinalCheckpoint:
      perform(savepoints_.final_checkpoint_due());
      return checkpoints_.request_final();
    case JobAction::Kind::kReport:
      settings_.log.debug("job ended", {{"state", to_string(job_.state())}});
      return with_ledger(
          [state = to_string(job_.state()), refused = job_.refused()](JobLedger& ledger) {
            return EndRecorded{refused ? ledger.withdraw(state) : ledger.end(state)};
          });
  }
}

void CoordinatorActor::perform(CheckpointCoordinator::Actions actions) {
  for (CheckpointAction& action : actions) perform(action);
}

void CoordinatorActor::perform(CheckpointAction& action) {
  const CheckpointName name = action.checkpoint;
  settings_.log.debug("checkpoint",
                      {{"id", name.id}, {"epoch", name.epoch}, {"do", to_string(action.kind)}});
  switch (action.kind) {
    case CheckpointAction::Kind::kTrigger:
      savepoint_name_ = name;
      if (action.savepoint) savepoints_.triggered(name.id);
      return trigger(name.id, action.savepoint);
    case CheckpointAction::Kind::kWriteMetadata:
      return write_metadata(name, std::move(action.metadata));
    case CheckpointAction::Kind::kSwapPointer:
      return with_ledger([id = name.id, retained = std::move(action.retained)](JobLedger& ledger) {
        return PointerSwapped{id, ledger.complete(retained)};
      });
    case CheckpointAction::Kind::kComplete:
      if (action.final) {
        final_ = name.id;
        perform(job_.final_checkpoint_completed());
      }
      if (action.savepoint) perform(savepoints_.completed(name.id));
      tell_tasks(CompleteCheckpoint{name.id});
      return with_ledger([](JobLedger& ledger) { return UnusedRemoved{ledger.remove_unused()}; });
    case CheckpointAction::Kind::kAbort:
      if (action.failed) {
        settings_.log.warn(
            "checkpoint declined",
            {{"id", name.id}, {"epoch", name.epoch}, {"error", action.error.message()}});
      }
      tell_tasks(AbortCheckpoint{name.id});
      return perform(savepoints_.aborted(name.id, action.error));
    case CheckpointAction::Kind::kFail:
      return on_failed_checkpoint(
          action.error.with_context(concat("checkpoint ", name.id.value(), " failed")));
  }
}

void CoordinatorActor::request_savepoint(RequestSavepoint& request) {
  if (settings_.execution.savepoints == nullptr || settings_.execution.state_stores == nullptr) {
    return request.done(invalid_argument(
        "the job keeps no state on disk, so there is nothing to take a savepoint of; give it "
        "checkpoints, or a directory of savepoints (--savepoint-dir)"));
  }
  if (savepoints_.busy()) {
    return request.done(unavailable(concat("a savepoint is under way already, to ",
                                           in_quotes(order_.path), "; wait until it is complete")));
  }
  order_ = std::move(request.order);
  savepoint_taken_ = std::move(request.done);
  follow(savepoints_.request(order_.then));
}

void CoordinatorActor::perform(const SavepointRequests::Actions& actions) {
  for (const SavepointAction& action : actions) perform(action);
}

void CoordinatorActor::perform(const SavepointAction& action) {
  switch (action.kind) {
    case SavepointAction::Kind::kMake:
      return make_savepoint();
    case SavepointAction::Kind::kTake:
      return checkpoints_.request_savepoint();
    case SavepointAction::Kind::kWithdraw:
      return checkpoints_.withdraw_savepoint();
    case SavepointAction::Kind::kDrain:
      return tell_tasks(Drain{});
    case SavepointAction::Kind::kWrite:
      return save_metadata();
    case SavepointAction::Kind::kDiscard:
      return discard_savepoint();
    case SavepointAction::Kind::kResume:
      return tell_tasks(ResumeSources{});
    case SavepointAction::Kind::kStop:
      return perform(job_.stop());
    case SavepointAction::Kind::kReply:
      savepoint_.reset();
      return std::exchange(savepoint_taken_,
                           {})(action.result ? action.result
                                             : Status(action.result.error().with_context(
                                                   concat("savepoint ", in_quotes(order_.path)))));
  }
}

void CoordinatorActor::make_savepoint() {
  with_ledger([stores = settings_.execution.savepoints, path = order_.path](JobLedger&) {
    return SavepointMade{stores->create(path)};
  });
}

void CoordinatorActor::save_metadata() {
  with_ledger([store = savepoint_, name = savepoint_name_,
               metadata = std::move(savepoint_metadata_)](JobLedger&) {
    const Result<std::string> bytes = encode_savepoint(metadata);
    return SavepointWritten{bytes ? store->write_metadata(name, *bytes) : Status(bytes.error())};
  });
}

// What cannot be removed is worth nothing, and said to be so by its missing metadata.
void CoordinatorActor::discard_savepoint() {
  if (!savepoint_) return;
  settings_.executor->execute(
      [store = std::move(savepoint_)] { (void)store->remove_unused({}, {}, {}); });
}

// A savepoint holds no records in flight: it is restored with any parallelism.
void CoordinatorActor::trigger(CheckpointId checkpoint, bool savepoint) {
  triggered_at_ = settings_.clock->now();
  const Duration patience = settings_.execution.checkpoints.aligned_timeout;
  const bool overtakes = !savepoint && patience < kMaxTimestamp - triggered_at_;
  Trigger trigger{{checkpoint, overtakes ? triggered_at_ + patience : kMaxTimestamp}};
  if (savepoint) {
    trigger.barrier.savepoint =
        std::make_shared<const SavepointNotice>(SavepointNotice{order_.path, savepoints_.stops()});
  }
  for (std::size_t i = 0; i < blueprints_.size(); ++i) {
    const TaskBlueprint& blueprint = blueprints_[i];
    const bool triggered_directly =
        blueprint.inputs.empty() && !enumerators_[blueprint.task.value()];
    if (triggered_directly) send(subtasks_[i], trigger);
  }
  for (const caf::actor& enumerator : enumerators_) {
    if (enumerator) send(enumerator, trigger);
  }
}

void CoordinatorActor::write_metadata(CheckpointName name, CheckpointMetadata metadata) {
  const LogicalPlan& plan = plan_of(blueprints_).logical;
  metadata.job = plan.job;
  metadata.fingerprint = fingerprint_;
  metadata.triggered_at_milliseconds = triggered_at_.time_since_epoch().count();
  if (metadata.savepoint) savepoint_metadata_ = take_savepoint(metadata);
  with_ledger([name, metadata = std::move(metadata)](JobLedger& ledger) {
    return MetadataWritten{name.id, ledger.write(name, metadata)};
  });
}

template <class Call>
void CoordinatorActor::with_ledger(Call call) {
  ledger_calls_.execute([call = std::move(call), ledger = ledger_,
                         self = caf::actor_cast<caf::actor>(this)]() mutable {
    caf::anon_send(self, call(*ledger));
  });
}

void CoordinatorActor::on_allocated(AttemptAllocated& allocated) {
  Region& region = regions_[allocated.region];
  Status restored = allocated.attempt ? restore_region(region, *allocated.attempt)
                                      : Status(allocated.attempt.error());
  if (!restored) {
    return follow(
        noted(restored.error(), job_.allocation_failed(allocated.region, restored.error(), now())));
  }
  follow(job_.allocated(allocated.region));
}

Status CoordinatorActor::restore_region(Region& region, const Attempt& attempt) {
  region.attempt = attempt.id;
  region.restored.reset();
  region.origin = attempt.origin_store;
  checkpoints_.continue_from(attempt.epoch, attempt.next_checkpoint, attempt.completed);
  epoch_ = attempt.epoch;
  if (!attempt.checkpoint) return {};
  const ExecutionPlan& plan = plan_of(blueprints_);
  const bool own = attempt.origin.empty();
  Result<RestoredJob> restored =
      own && attempt.checkpoint->job != plan.logical.job
          ? of_another_job(*attempt.checkpoint, plan.logical.job)
          : restore_job(plan, *attempt.checkpoint, settings_.execution.allow_dropped_state);
  if (!restored) {
    return restored.error().with_context(concat(
        "restoring ", own ? to_string(attempt.completed.back()) : in_quotes(attempt.origin)));
  }
  region.restored = *std::move(restored);
  return {};
}

void CoordinatorActor::open_tasks(Region& region) {
  for (const std::size_t i : region.subtasks) spawn_task(region, i);
  for (const std::size_t i : region.subtasks) {
    if (blueprints_[i].subtask == SubtaskIndex(0)) spawn_enumerator(region, blueprints_[i]);
  }
  for (const std::size_t i : region.subtasks) connect_task(i);
  for (const std::size_t i : region.subtasks) connect_enumerator(i);
  region.restored.reset();
}

void CoordinatorActor::spawn_task(const Region& region, std::size_t subtask) {
  const TaskBlueprint& blueprint = blueprints_[subtask];
  TaskPlace place{caf::actor_cast<caf::actor>(this), {subtask, region.attempt}, settings_.clock};
  TaskStart start = start_of(region, blueprint);
  subtasks_[subtask] =
      blueprint.spec().blocking && settings_.blocking_tasks_have_threads
          ? spawn<TaskActor, caf::detached>(blueprint, std::move(place), std::move(start))
          : spawn<TaskActor>(blueprint, std::move(place), std::move(start));
}

TaskStart CoordinatorActor::start_of(const Region& region, const TaskBlueprint& blueprint) const {
  const ExecutionSettings& execution = settings_.execution;
  TaskStart start{
      .epoch = epoch_,
      .mode = execution.checkpoints.mode,
      .state = {.stores = execution.state_stores,
                .checkpoints = execution.checkpoint_store,
                .executor = settings_.executor,
                .memory = execution.state_memory / std::max<std::size_t>(1, keyed_operators_)},
      .savepoints = execution.savepoints};
  if (region.restored) {
    start.checkpoint = region.restored->checkpoint.id;
    start.state.origin = region.origin;
    start.restored = region.restored->tasks[blueprint.task.value()][blueprint.subtask.value()];
  }
  return start;
}

void CoordinatorActor::spawn_enumerator(const Region& region, const TaskBlueprint& blueprint) {
  const EnumeratorFactory& factory = enumerator_of(*blueprint.job, blueprint.spec());
  if (!factory) return;
  const std::string& name = head_of(blueprint.job->plan, blueprint.spec()).name;
  EnumeratedSource source{name, factory, blueprint.spec().parallelism, std::nullopt};
  if (region.restored) {
    const auto left = region.restored->enumerators.find(name);
    if (left != region.restored->enumerators.end()) source.restored = left->second;
  }
  enumerators_[blueprint.task.value()] =
      spawn<EnumeratorActor>(std::move(source), EnumeratorAddress{blueprint.task, region.attempt},
                             caf::actor_cast<caf::actor>(this), *settings_.executor);
}

void CoordinatorActor::connect_task(std::size_t subtask) {
  const auto peer = [&](const PeerAddress& address) {
    return Peer{subtasks_[address.subtask], address.exchange, address.channel};
  };
  const TaskWiring& wiring = wirings_[subtask];
  auto peers = std::make_shared<TaskPeers>();
  for (const std::vector<PeerAddress>& channels : wiring.receivers) {
    std::ranges::transform(channels, std::back_inserter(peers->receivers.emplace_back()), peer);
  }
  std::ranges::transform(wiring.senders, std::back_inserter(peers->senders), peer);
  peers->enumerator = enumerators_[blueprints_[subtask].task.value()];
  send(subtasks_[subtask], Connect{std::move(peers)});
}

void CoordinatorActor::connect_enumerator(std::size_t subtask) {
  const caf::actor& enumerator = enumerators_[blueprints_[subtask].task.value()];
  if (enumerator) send(enumerator, ConnectReader{subtasks_[subtask]});
}

void CoordinatorActor::close_tasks(std::size_t region) {
  for (const std::size_t i : regions_[region].subtasks) {
    caf::actor& enumerator = enumerators_[blueprints_[i].task.value()];
    if (enumerator) send_exit(enumerator, caf::exit_reason::user_shutdown);
    enumerator = nullptr;
    if (subtasks_[i]) send<caf::message_priority::high>(subtasks_[i], Close{});
  }
  delayed_send(this, settings_.execution.cancellation_timeout,
               ClosingTimedOut{region, regions_[region].attempt});
}

void CoordinatorActor::on_failure(const TaskFailed& failed) {
  if (!is_current(failed.from)) return;
  const TaskBlueprint& blueprint = blueprints_[failed.from.subtask];
  settings_.log.debug("task failed", {{"task", blueprint.task},
                                      {"subtask", blueprint.subtask},
                                      {"attempt", failed.from.attempt},
                                      {"error", failed.error.message()}});
  follow(noted(failed.error, job_.task_failed(region_of(failed.from), failed.error, now())));
}

void CoordinatorActor::on_failed_checkpoint(const Error& error) {
  perform(noted(error, job_.all_failed(error, now())));
}

// What follows from the failure. Nobody else hears of one after which the job restarts.
JobStateMachine::Actions CoordinatorActor::noted(const Error& error,
                                                 JobStateMachine::Actions actions) const {
  if (job_.state() == JobState::kRestarting && !actions.empty()) {
    settings_.log.warn("restarting after a failure",
                       {{"job", plan_of(blueprints_).logical.job}, {"error", error.message()}});
  }
  return actions;
}

void CoordinatorActor::give_up(std::size_t region) {
  std::string stuck;
  for (const std::size_t i : regions_[region].subtasks) {
    if (!subtasks_[i]) continue;
    stuck += concat(stuck.empty() ? "" : ", ", in_quotes(blueprints_[i].spec().name), " (subtask ",
                    blueprints_[i].subtask.value() + 1, ")");
  }
  follow(job_.closing_timed_out(internal(
      concat("these tasks were told to stop, and did not within the cancellation timeout: ", stuck,
             "; look for user code that does not return (task.cancellation.timeout)"))));
}

void CoordinatorActor::end(const Status& recorded) {
  if (!recorded) {
    settings_.log.warn("cannot record the job's end", {{"error", recorded.error().message()}});
  }
  perform(savepoints_.ended());
  settings_.report(job_.result());
  quit();
}

template <class Message>
void CoordinatorActor::tell_tasks(const Message& message) {
  for (const caf::actor& task : subtasks_) {
    if (task) send(task, message);
  }
}

}  // namespace millrace::detail
