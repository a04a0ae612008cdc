#include "millrace/actors/job_actor.h"

#include <caf/send.hpp>

#include <algorithm>
#include <type_traits>

#include "millrace/coordination/placement.h"
#include "millrace/core/failpoint.h"
#include "millrace/state/checkpoint_format.h"
#include "millrace/state/savepoint/savepoint_stores.h"

namespace millrace::detail {
namespace {

constexpr std::chrono::milliseconds kTimeToExplain{500};
constexpr std::chrono::seconds kLongestSleep{5};

JobCoordinatorSettings settings_of(const JobActorSettings& settings) {
  const ExecutionSettings& execution = settings.execution;
  return {.checkpoints = execution.checkpoints,
          .restart = execution.restart,
          .has_run = settings.has_run,
          .allow_dropped_state = execution.allow_dropped_state,
          .takes_savepoints = execution.savepoints != nullptr &&
                              (execution.state_stores != nullptr || settings.slots != nullptr),
          .alone = settings.slots == nullptr,
          .seed = settings.seed};
}

// What is told to hosts one by one, so that somebody may die between.
template <class Message>
constexpr std::optional<FailPoint> point_of(const Message&) {
  if (std::is_same_v<Message, Trigger>) return FailPoint::kCheckpointTriggered;
  if (std::is_same_v<Message, CompleteCheckpoint>) return FailPoint::kCompletionTold;
  return std::nullopt;
}

// Its calls may outlive the actor, and whoever has it run.
std::shared_ptr<JobLedger> ledger_of(const std::string& job, const JobActorSettings& settings) {
  return {new JobLedger(job, settings.execution),
          [stores = settings.stores](const JobLedger* ledger) { delete ledger; }};
}

}  // namespace

JobActor::JobActor(caf::actor_config& config, std::shared_ptr<const ExecutionPlan> plan,
                   JobActorSettings settings)
    : ActorBase(config),
      plan_(std::move(plan)),
      settings_(std::move(settings)),
      coordinator_(std::make_unique<JobCoordinator>(*plan_, settings_of(settings_))),
      ledger_(ledger_of(settings_.key.empty() ? plan_->logical.job : settings_.key, settings_)),
      ledger_calls_(*settings_.executor) {}

caf::behavior JobActor::make_behavior() {
  return {
      [this](const HostReady& ready) {
        on_ready(ready, caf::actor_cast<caf::actor>(current_sender()));
      },
      [this](const HostLost& lost) {
        // Whoever gave the slot soon says more than that a connection is closed.
        if (!settings_.slots || lost.unexplained) return on_lost(lost);
        delayed_send(this, kTimeToExplain, HostLost{lost.host, lost.identity, lost.error, true});
      },
      [this](StartJob) { start(); },
      [this](CancelJob) {
        begin();
        follow(coordinator_->cancel(now()));
        give_up_slots(cancelled("the job was cancelled"));
      },
      [this](SlotsGranted& granted) { on_granted(granted); },
      [this](const SlotsTimedOut& late) { on_slots_timed_out(late); },
      [this](const HostMissed& missed) { on_missed(missed); },
      [this](RequestSavepoint& request) { request_savepoint(request); },
      hear<TaskOpened>(),
      hear<TaskFinished>(),
      [this](TaskFailed& failed) {
        if (adoption_) return hear_of_tasks(failed);
        settings_.log.debug("task failed", {{"subtask", failed.from.subtask},
                                            {"attempt", failed.from.attempt},
                                            {"error", failed.error.message()}});
        follow(coordinator_->hear(failed, now()));
      },
      hear<TaskClosed>(),
      [this](CheckpointAcknowledged& acknowledged) {
        pass(FailPoint::kAcknowledgementHeard);
        take(acknowledged);
      },
      hear<CheckpointDeclined>(),
      hear<CheckpointCommitted>(),
      hear<EnumeratorFailed>(),
      hear<SplitsAcknowledged>(),
      [this](const HostProgress& progress) { on_progress(progress); },
      [this](const AttemptAllocated& allocated) { on_allocated(allocated); },
      [this](const AllocateAgain& again) {
        AllocateAttempt allocate{again.region};
        perform(allocate);
      },
      [this](const AttemptsRead& read) { on_attempts(read.attempts); },
      [this](ReadAgain) { read_attempts(); },
      [this](const JobClaimed& claimed) { on_claimed(claimed.attempt); },
      [this](ClaimAgain) { adopt_if_complete(); },
      [this](TakeoverOver) {
        takeover_over_ = true;
        adopt_if_complete();
      },
      [this](const MetadataWritten& written) {
        follow(coordinator_->metadata_written(written.checkpoint, written.status, now()));
      },
      [this](const PointerSwapped& swapped) {
        if (!swapped.status && is_deposed(swapped.status.error())) return;
        follow(coordinator_->pointer_swapped(swapped.checkpoint, swapped.status, now()));
      },
      [this](SavepointMade& made) {
        if (made.store) savepoint_ = *made.store;
        const Status status = made.store ? Status() : Status(made.store.error());
        follow(coordinator_->savepoint_made(status, now()));
      },
      [this](const SavepointWritten& written) {
        follow(coordinator_->savepoint_written(written.status, now()));
      },
      [this](const UnusedRemoved& removed) {
        if (removed.status) return;
        settings_.log.warn("cannot remove old checkpoints",
                           {{"error", removed.status.error().message()}});
      },
      [this](const EndRecorded& recorded) {
        if (!recorded.status && is_deposed(recorded.status.error())) return;
        if (!recorded.status && waits_for_record(recorded.status.error())) {
          return delayed_send(this, kPauseOfClaims, RecordAgain{});
        }
        if (!recorded.status) {
          settings_.log.warn("cannot record the job's end",
                             {{"error", recorded.status.error().message()}});
        }
        follow(coordinator_->end_recorded(recorded.status, now()));
      },
      [this](RecordAgain) { perform(*end_); },
      [this](const RestartDelayOver& over) {
        follow(coordinator_->delay_over(over.region, now()));
      },
      [this](const ClosingTimedOut& late) {
        follow(coordinator_->closing_timed_out({late.region, late.host, {late.attempt}}, now()));
      },
      [this](Postponed& postponed) { later(postponed.left, std::move(postponed.message)); },
      [this](const CheckpointsDue& due) {
        if (due.number != due_number_) return;
        due_at_.reset();
        follow(coordinator_->tick(now()));
      },
  };
}

// The job's hosts know this actor, and it them.
void JobActor::on_exit() { hosts_.clear(); }

void JobActor::start() {
  if (started_) return;
  settings_.takeover ? look_for_tasks() : begin();
}

// From its latest checkpoint, or from what it was to go on from. Tasks that run hear no more of it.
void JobActor::begin() {
  if (std::exchange(started_, true)) return;
  if (adoption_) {
    settings_.log.warn("tasks that run, if there are any, cannot be adopted",
                       {{"job", settings_.key}});
    adoption_.reset();
    for (const auto& [identity, host] : hosts_) {
      send_exit(host.actor, caf::exit_reason::user_shutdown);
    }
    hosts_.clear();
    send(settings_.slots, KeepHosts{settings_.key, {}});
  }
  follow(coordinator_->start(now()));
}

// --- adoption ---

void JobActor::look_for_tasks() {
  if (adoption_) return;
  adoption_.emplace(*plan_, settings_.takeover->plan);
  send(settings_.slots, SeekHosts{settings_.key});
  later(settings_.takeover->patience, caf::make_message(TakeoverOver{}));
  read_attempts();
}

void JobActor::read_attempts() {
  if (!adoption_) return;
  with_ledger([](JobLedger& ledger) { return AttemptsRead{ledger.attempts()}; });
}

void JobActor::on_attempts(const Result<std::vector<AttemptId>>& attempts) {
  if (!adoption_) return;
  if (!attempts && !waits_for_record(attempts.error())) return begin();
  if (!attempts) return delayed_send(this, kPauseOfClaims, ReadAgain{});
  adoption_->expect(*attempts);
  adopt_if_complete();
}

// Once the job is claimed nobody else does anything about its tasks, and what is complete stays so.
// That its record cannot be read or written for a time is no reason to end tasks that run.
void JobActor::adopt_if_complete() {
  if (!adoption_ || claiming_) return;
  if (adoption_->is_impossible()) return begin();
  if (!adoption_->complete()) {
    if (takeover_over_ && adoption_->is_decidable()) begin();
    return;
  }
  claiming_ = true;
  with_ledger([](JobLedger& ledger) { return JobClaimed{ledger.adopt()}; });
}

void JobActor::on_claimed(const Result<Attempt>& attempt) {
  claiming_ = false;
  if (!adoption_) return;  // it was cancelled
  const std::optional<RunningTasks> running = adoption_->complete();
  if (!attempt && attempt.error().code() == ErrorCode::kUnavailable && running) {
    return delayed_send(this, kPauseOfClaims, ClaimAgain{});
  }
  if (!attempt && is_deposed(attempt.error())) return;
  if (!attempt || !running || !adoption_->is_of(attempt->regions)) return begin();
  adoption_.reset();
  started_ = true;
  view_.attempt = attempt->id.value();
  granted_ = hosts_of_slots(*plan_, running->host_of());
  send(settings_.slots, KeepHosts{settings_.key, *granted_});
  settings_.log.info("tasks adopted", {{"job", settings_.key}, {"attempt", attempt->id}});
  drop_useless_hosts(*running);
  follow(coordinator_->adopt(*attempt, *running, now()));
}

// They run older attempts, of which nothing may be heard or seen any more.
void JobActor::drop_useless_hosts(const RunningTasks& running) {
  std::erase_if(hosts_, [&](const auto& entry) {
    const auto& [identity, host] = entry;
    const bool useful = std::ranges::count(running.hosts, host.address) > 0;
    if (!useful) send_exit(host.actor, caf::exit_reason::user_shutdown);
    return !useful;
  });
}

// Then whoever leads has its tasks too, or is about to. It must find them as they are.
bool JobActor::is_deposed(const Error& error) {
  if (!settings_.slots || error.code() != ErrorCode::kCancelled) return false;
  settings_.log.warn("given up", {{"job", settings_.key}, {"why", error.message()}});
  quit();
  return true;
}

// ZooKeeper that does not answer, or a disk, is no failure of the job: none of its restarts is used
// up for it, and it has not ended before its record says so, or the next leader would run it again.
bool JobActor::waits_for_record(const Error& error) {
  if (!settings_.slots || error.code() != ErrorCode::kUnavailable) return false;
  view_.trouble = error.message();
  show();
  return true;
}

bool JobActor::is_alive() const {
  const JobState state = coordinator_->state();
  return state == JobState::kStarting || state == JobState::kRunning ||
         state == JobState::kRestarting;
}

Result<Placement> JobActor::place(std::size_t region) const {
  std::vector<HostAddress> hosts;
  for (const auto& [identity, host] : hosts_) hosts.push_back(host.address);
  return settings_.place(coordinator_->subtasks_in(region), hosts);
}

void JobActor::follow(Commands commands) {
  for (CoordinatorCommand& command : commands) {
    std::visit([this](auto& alternative) { perform(alternative); }, command);
  }
  schedule();
  show();
  if (!unplaced_.empty() && !is_alive()) give_up_slots(cancelled("the job is ending"));
}

// Of an earlier attempt somebody may speak who does not know yet that it has ended.
void JobActor::on_progress(const HostProgress& progress) {
  const std::vector<Subtask> subtasks = subtasks_of(*plan_);
  progress_.resize(subtasks.size());
  for (const TaskProgress& task : progress.tasks) {
    if (task.task.subtask.value() >= progress_.size()) continue;
    TaskProgress& known = progress_[task.task.subtask.value()];
    if (task.task.attempt >= known.task.attempt) known = task;
  }
  view_.tasks.assign(plan_->tasks.size(), {});
  for (std::size_t i = 0; i < subtasks.size(); ++i) {
    TaskCounts& counts = view_.tasks[subtasks[i].task.value()];
    counts.records_in += progress_[i].records_in;
    counts.records_out += progress_[i].records_out;
  }
  show();
}

void JobActor::show() {
  view_.state = coordinator_->state();
  view_.completed_checkpoints = coordinator_->history().completed();
  view_.checkpoints = coordinator_->history().last();
  if (!settings_.watch || view_ == shown_) return;
  shown_ = view_;
  settings_.watch(view_);
}

// A message on its way to this actor holds it, also when the job has long ended: so whatever takes
// long comes in short stretches.
void JobActor::later(std::chrono::nanoseconds delay, caf::message message) {
  if (delay <= kLongestSleep) return delayed_send(this, delay, std::move(message));
  delayed_send(this, kLongestSleep, Postponed{delay - kLongestSleep, std::move(message)});
}

// What comes too late, as the timeout of a checkpoint that is soon complete, would wait for all of
// its time, one for each checkpoint: so this sleeps in short stretches too, and looks anew.
void JobActor::schedule() {
  const std::optional<std::chrono::nanoseconds> wake_at = coordinator_->wake_at();
  if (!wake_at) return;
  const std::chrono::nanoseconds time = settings_.clock->monotonic();
  const std::chrono::nanoseconds at = std::min(*wake_at, time + kLongestSleep);
  if (due_at_ && *due_at_ <= at) return;
  due_at_ = at;
  delayed_send(this, std::max(at, time) - time, CheckpointsDue{++due_number_});
}

// --- the ledger ---

template <class Call>
void JobActor::with_ledger(Call call) {
  ledger_calls_.execute([call = std::move(call), ledger = ledger_,
                         self = caf::actor_cast<caf::actor>(this)]() mutable {
    caf::anon_send(self, call(*ledger));
  });
}

void JobActor::perform(AllocateAttempt& allocate) {
  with_ledger([region = allocate.region, triggered = coordinator_->triggered()](JobLedger& ledger) {
    return AttemptAllocated{region, ledger.next_attempt(region, triggered)};
  });
  with_ledger([](JobLedger& ledger) { return UnusedRemoved{ledger.remove_abandoned()}; });
}

void JobActor::perform(WriteMetadata& write) {
  with_ledger([name = write.name, metadata = std::move(write.metadata)](JobLedger& ledger) {
    return MetadataWritten{name.id, ledger.write(name, metadata)};
  });
}

void JobActor::perform(SwapPointer& swap) {
  with_ledger([id = swap.checkpoint, retained = std::move(swap.retained)](JobLedger& ledger) {
    return PointerSwapped{id, ledger.complete(retained)};
  });
}

void JobActor::perform(MakeSavepoint& make) {
  with_ledger([stores = settings_.execution.savepoints, path = std::move(make.path)](JobLedger&) {
    return SavepointMade{stores->create(path)};
  });
}

void JobActor::perform(WriteSavepoint& write) {
  with_ledger([store = savepoint_, name = write.name,
               metadata = std::move(write.metadata)](JobLedger&) {
    const Result<std::string> bytes = encode_savepoint(metadata);
    return SavepointWritten{bytes ? store->write_metadata(name, *bytes) : Status(bytes.error())};
  });
}

void JobActor::perform(RecordEnd& record) {
  settings_.log.debug("job ended", {{"state", record.state}});
  end_ = record;
  with_ledger([state = record.state, refused = record.refused](JobLedger& ledger) {
    return EndRecorded{refused ? ledger.withdraw(state) : ledger.end(state)};
  });
}

void JobActor::perform(RemoveUnused&) {
  with_ledger([](JobLedger& ledger) { return UnusedRemoved{ledger.remove_unused()}; });
}

// What cannot be removed is worth nothing, and said to be so by its missing metadata.
void JobActor::perform(DiscardSavepoint&) {
  if (!savepoint_) return;
  settings_.executor->execute(
      [store = std::move(savepoint_)] { (void)store->remove_unused({}, {}, {}); });
}

// --- hosts ---

// One that is not there any more is about to be told of as lost, or was.
template <class Message>
void JobActor::tell(const std::string& host, Message message) {
  const auto found = hosts_.find(host);
  if (found != hosts_.end()) send(found->second.actor, std::move(message));
}

void JobActor::perform(OpenRegion& open) { tell(open.host, std::move(open.tasks)); }

void JobActor::perform(StartRegion& start) { tell(start.host, start.tasks); }

void JobActor::perform(CloseRegion& close) {
  tell(close.host, close.tasks);
  later(settings_.execution.cancellation_timeout,
        caf::make_message(ClosingTimedOut{close.region, close.host, close.tasks.attempt}));
}

void JobActor::perform(DropHost& drop) {
  settings_.log.warn(
      "host dropped",
      {{"job", plan_->logical.job}, {"host", drop.host}, {"error", drop.error.message()}});
  const auto found = hosts_.find(drop.host);
  if (found == hosts_.end()) return;
  send_exit(found->second.actor, caf::exit_reason::user_shutdown);
  hosts_.erase(found);
  give_up_host(drop.host);
}

void JobActor::perform(const ToAllHosts& message) {
  std::visit(
      [this](const auto& alternative) {
        for (const auto& [identity, host] : hosts_) {
          send(host.actor, alternative);
          if (const auto point = point_of(alternative)) pass(*point);
        }
      },
      message);
}

void JobActor::perform(WaitToRestart& wait) {
  later(wait.delay, caf::make_message(RestartDelayOver{wait.region}));
}

// --- people ---

void JobActor::request_savepoint(RequestSavepoint& request) {
  if (!started_ && request.order.then == AfterSavepoint::kRescale) {
    return request.done(unavailable("the job is just being taken over; try again in a moment"));
  }
  if (Status possible = coordinator_->check_savepoint(); !possible) return request.done(possible);
  // A job that waits for slots may wait for ever, and has no records in flight but in a checkpoint.
  const bool runs = coordinator_->state() == JobState::kRunning;
  if (request.order.then == AfterSavepoint::kRescale && !runs && unplaced_.empty()) {
    return request.done(unavailable("the job's tasks do not run now; try again in a moment"));
  }
  savepoint_taken_ = std::move(request.done);
  follow(coordinator_->request_savepoint(std::move(request.order), now()));
}

void JobActor::perform(TellSavepoint& tell) {
  savepoint_.reset();
  std::exchange(savepoint_taken_, {})(tell.result);
}

void JobActor::perform(TellRestart& tell) {
  view_.trouble = tell.error.message();
  settings_.log.warn("restarting after a failure",
                     {{"job", plan_->logical.job}, {"error", tell.error.message()}});
}

void JobActor::perform(TellDeclined& tell) {
  settings_.log.warn("checkpoint declined", {{"id", tell.checkpoint.id},
                                             {"epoch", tell.checkpoint.epoch},
                                             {"error", tell.error.message()}});
}

void JobActor::perform(TellEnd& tell) {
  for (const auto& [identity, host] : hosts_) {
    send_exit(host.actor, caf::exit_reason::user_shutdown);
  }
  settings_.report(tell.result);
  quit();
}

}  // namespace millrace::detail
