#include "millrace/coordination/job_coordinator.h"

#include <algorithm>

#include "millrace/coordination/regions.h"
#include "millrace/core/text.h"
#include "millrace/plan/fingerprint.h"

namespace millrace::detail {

using Commands = JobCoordinator::Commands;

namespace {

const std::string& head_name(const ExecutionPlan& plan, TaskId task) {
  return plan.logical.at(plan.at(task).operators.front()).name;
}

Error of_another_job(const CheckpointMetadata& metadata, const std::string& job) {
  return corruption(concat("its metadata is that of a checkpoint of job ", in_quotes(metadata.job),
                           ", not of ", in_quotes(job),
                           ": was it copied? Restore it from where it lay"));
}

std::size_t count_enumerators(const ExecutionPlan& plan) {
  return static_cast<std::size_t>(std::ranges::count_if(
      plan.tasks, [&](const TaskSpec& task) { return has_splits(plan, task); }));
}

std::vector<std::size_t> sizes_of_regions(const ExecutionPlan& plan) {
  const std::vector<std::size_t> regions = regions_of(plan);
  std::vector<std::size_t> sizes(std::ranges::max(regions) + 1);
  for (const TaskSpec& task : plan.tasks) sizes[regions[task.id.value()]] += task.parallelism;
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

}  // namespace

JobCoordinator::JobCoordinator(const ExecutionPlan& plan, JobCoordinatorSettings settings)
    : plan_(plan),
      settings_(std::move(settings)),
      subtasks_(subtasks_of(plan)),
      region_of_task_(regions_of(plan)),
      open_(subtasks_.size()),
      host_of_(subtasks_.size()),
      job_(sizes_of_regions(plan), settings_.restart, Random(settings_.seed), settings_.has_run),
      checkpoints_(settings_.checkpoints, subtasks_.size(), count_enumerators(plan)),
      savepoints_(subtasks_.size(), settings_.alone),
      fingerprint_(fingerprint_number(plan.logical)) {
  regions_.resize(std::ranges::max(region_of_task_) + 1);
  for (std::uint32_t i = 0; i < subtasks_.size(); ++i) {
    regions_[region_of(SubtaskId(i))].subtasks.push_back(SubtaskId(i));
  }
}

std::size_t JobCoordinator::region_of(SubtaskId subtask) const {
  return region_of_task_[subtasks_[subtask.value()].task.value()];
}

std::vector<Subtask> JobCoordinator::subtasks_in(std::size_t region) const {
  std::vector<Subtask> subtasks;
  for (const SubtaskId id : regions_[region].subtasks) subtasks.push_back(subtasks_[id.value()]);
  return subtasks;
}

const HostAddress& JobCoordinator::host_of(SubtaskId subtask) const {
  return regions_[region_of(subtask)].hosts[host_of_[subtask.value()]];
}

// Whoever loses whom then, nothing has failed.
bool JobCoordinator::is_done() const {
  return job_.state() == JobState::kFinishing || job_.state() == JobState::kStopping;
}

bool JobCoordinator::has_open_tasks(const Region& region, const HostAddress& host) const {
  return std::ranges::any_of(region.subtasks, [&](SubtaskId subtask) {
    return open_[subtask.value()] && host_of(subtask) == host;
  });
}

template <class Give>
void JobCoordinator::each_host(const Region& region, Give give) {
  for (const HostAddress& host : region.hosts) {
    if (has_open_tasks(region, host)) give(host);
  }
}

bool JobCoordinator::is_current(const TaskAddress& from) const {
  return from.subtask.value() < subtasks_.size() &&
         regions_[region_of(from.subtask)].attempt == from.attempt;
}

bool JobCoordinator::is_current(const EnumeratorAddress& from) const {
  return from.task.value() < region_of_task_.size() &&
         regions_[region_of_task_[from.task.value()]].attempt == from.attempt;
}

// What follows from the machines' new states; all that was asked for since the event came.
Commands JobCoordinator::settle(Moment now) {
  const bool running = job_.state() == JobState::kRunning;
  if (running != std::exchange(running_, running)) {
    running ? checkpoints_.resume(now.monotonic) : perform(checkpoints_.stop(now.monotonic), now);
    if (!running) perform(savepoints_.interrupted());
  }
  perform(checkpoints_.tick(now.monotonic), now);
  return std::exchange(commands_, {});
}

// --- events ---

Commands JobCoordinator::start(Moment now) {
  perform(job_.start());
  return settle(now);
}

Commands JobCoordinator::adopt(const Attempt& attempt, const RunningTasks& running, Moment now) {
  const CheckpointId newest = running.triggered;
  const CheckpointId next(std::max(attempt.next_checkpoint.value(), newest.value() + 1));
  checkpoints_.continue_from(attempt.epoch, next, attempt.completed);
  history_.found(attempt.completed.size());
  epoch_ = attempt.epoch;
  for (Region& region : regions_) adopt_region(region, running);
  if (!attempt.completed.empty()) {
    give(ToAllHosts(CompleteCheckpoint{attempt.completed.back().id}));
  }
  if (attempt.completed.empty() || attempt.completed.back().id < newest) {
    give(ToAllHosts(AbortCheckpoint{newest}));
  }
  give(ToAllHosts(ResumeSources{}));
  std::vector<std::size_t> finished(regions_.size());
  for (std::uint32_t i = 0; i < subtasks_.size(); ++i) {
    if (running.tasks[i].finished) ++finished[region_of(SubtaskId(i))];
  }
  perform(job_.adopt(finished));
  return settle(now);
}

void JobCoordinator::adopt_region(Region& region, const RunningTasks& running) {
  region.hosts = running.hosts;
  for (const SubtaskId subtask : region.subtasks) {
    const RunningTasks::Task& task = running.tasks[subtask.value()];
    region.attempt = task.attempt;
    host_of_[subtask.value()] = task.host;
    open_[subtask.value()] = true;
  }
}

Commands JobCoordinator::cancel(Moment now) {
  perform(job_.cancel());
  return settle(now);
}

Status JobCoordinator::check_savepoint() const {
  if (!settings_.takes_savepoints) {
    return invalid_argument(
        "the job keeps no state on disk, so there is nothing to take a savepoint of; give it "
        "checkpoints, or a directory of savepoints (--savepoint-dir)");
  }
  if (savepoints_.busy()) {
    return unavailable(concat(what_for(), " is under way already; wait until it is complete"));
  }
  return {};
}

Commands JobCoordinator::request_savepoint(SavepointOrder order, Moment now) {
  order_ = std::move(order);
  perform(savepoints_.request(order_.then, running_));
  return settle(now);
}

Commands JobCoordinator::allocated(std::size_t index, const Result<Attempt>& attempt,
                                   const Result<Placement>& placement, Moment now) {
  Status ready = attempt ? restore_region(regions_[index], *attempt) : Status(attempt.error());
  if (ready && !placement) ready = placement.error();
  if (ready) {
    place_region(regions_[index], *placement);
    perform(job_.allocated(index));
  } else {
    perform_noting(ready.error(), job_.allocation_failed(index, ready.error(), now.monotonic));
  }
  return settle(now);
}

Commands JobCoordinator::metadata_written(CheckpointId checkpoint, const Status& status,
                                          Moment now) {
  perform(checkpoints_.metadata_written(checkpoint, status, now.monotonic), now);
  return settle(now);
}

Commands JobCoordinator::pointer_swapped(CheckpointId checkpoint, const Status& status,
                                         Moment now) {
  perform(checkpoints_.pointer_swapped(checkpoint, status, now.monotonic), now);
  return settle(now);
}

Commands JobCoordinator::savepoint_made(const Status& status, Moment now) {
  perform(savepoints_.made(status, running_));
  return settle(now);
}

Commands JobCoordinator::savepoint_written(const Status& status, Moment now) {
  history_.savepoint_written(savepoint_name_.id, status, now.wall);
  perform(savepoints_.written(status));
  return settle(now);
}

Commands JobCoordinator::delay_over(std::size_t region, Moment now) {
  perform(job_.delay_over(region));
  return settle(now);
}

Commands JobCoordinator::closing_timed_out(const CloseRegion& closing, Moment now) {
  const Region& region = regions_[closing.region];
  if (!job_.closing(closing.region) || region.attempt != closing.tasks.attempt) return {};
  const auto host = std::ranges::find(region.hosts, closing.host, &HostAddress::identity);
  if (host == region.hosts.end() || !has_open_tasks(region, *host)) return {};
  const Error error = internal(
      concat("these tasks were told to stop, and did not within the cancellation timeout: ",
             stuck_tasks(region, *host),
             "; look for user code that does not return (task.cancellation.timeout)"));
  if (host->is_local()) {
    perform(job_.closing_timed_out(error));
  } else {
    give(DropHost{closing.host, error});
    lose_host(closing.host, error, now);
  }
  return settle(now);
}

Commands JobCoordinator::host_lost(const std::string& host, const Error& error, Moment now) {
  lose_host(host, error, now);
  return settle(now);
}

// Otherwise they would hold what their sinks have locked, in the way of those that come after them.
Commands JobCoordinator::host_missed(const std::string& host, const Error& error, Moment now) {
  close_tasks_on(host);
  give(DropHost{host, error});
  lose_host(host, error, now);
  return settle(now);
}

void JobCoordinator::close_tasks_on(const std::string& host) {
  for (std::size_t index = 0; index < regions_.size(); ++index) {
    each_host(regions_[index], [&](const HostAddress& at) {
      if (at.identity == host) give(CloseRegion{index, host, {regions_[index].attempt}});
    });
  }
}

// Its tasks are closed, as far as anybody will ever know. Whatever the reason is, another host may
// do better: the failure is one that is tried again.
void JobCoordinator::lose_host(const std::string& host, const Error& error, Moment now) {
  const Error lost = unavailable(concat("host ", in_quotes(host), " is lost: ", error.message()));
  for (std::size_t index = 0; index < regions_.size(); ++index) {
    std::size_t gone = 0;
    for (const SubtaskId subtask : regions_[index].subtasks) {
      if (!open_[subtask.value()] || host_of(subtask).identity != host) continue;
      open_[subtask.value()] = false;
      ++gone;
    }
    if (gone > 0 && !is_done()) perform_noting(lost, job_.task_failed(index, lost, now.monotonic));
    for (; gone > 0; --gone) perform(job_.task_closed(index));
  }
}

Commands JobCoordinator::end_recorded(const Status& recorded, Moment now) {
  perform(savepoints_.ended(recorded));
  give(TellEnd{job_.result()});
  return settle(now);
}

Commands JobCoordinator::hear(const TaskOpened& opened, Moment now) {
  if (!is_current(opened.from)) return {};
  perform(job_.task_opened(region_of(opened.from.subtask)));
  return settle(now);
}

Commands JobCoordinator::hear(const TaskFinished& finished, Moment now) {
  if (!is_current(finished.from)) return {};
  perform(job_.task_finished(region_of(finished.from.subtask)));
  return settle(now);
}

Commands JobCoordinator::hear(const TaskFailed& failed, Moment now) {
  if (!is_current(failed.from) || (failed.lost_peer && is_done())) return {};
  const std::size_t region = region_of(failed.from.subtask);
  perform_noting(failed.error, job_.task_failed(region, failed.error, now.monotonic));
  return settle(now);
}

Commands JobCoordinator::hear(const TaskClosed& closed, Moment now) {
  if (!is_current(closed.from) || !open_[closed.from.subtask.value()]) return {};
  open_[closed.from.subtask.value()] = false;
  perform(job_.task_closed(region_of(closed.from.subtask)));
  return settle(now);
}

Commands JobCoordinator::hear(CheckpointAcknowledged acknowledged, Moment now) {
  if (!is_current(acknowledged.from)) return {};
  perform(checkpoints_.acknowledge(acknowledged.checkpoint,
                                   {acknowledged.from.subtask.value(),
                                    std::move(acknowledged.snapshot), acknowledged.savepoint},
                                   now.monotonic),
          now);
  return settle(now);
}

Commands JobCoordinator::hear(const CheckpointDeclined& declined, Moment now) {
  if (!is_current(declined.from)) return {};
  perform(checkpoints_.decline(declined.checkpoint, declined.error, now.monotonic), now);
  return settle(now);
}

Commands JobCoordinator::hear(const CheckpointCommitted& committed, Moment now) {
  if (!is_current(committed.from)) return {};
  if (committed.checkpoint == final_) {
    perform(job_.task_committed_final(region_of(committed.from.subtask)));
  }
  perform(savepoints_.committed(committed.checkpoint));
  return settle(now);
}

Commands JobCoordinator::hear(const EnumeratorFailed& failed, Moment now) {
  if (!is_current(failed.from)) return {};
  const std::size_t region = region_of_task_[failed.from.task.value()];
  perform_noting(failed.error, job_.splits_failed(region, failed.error, now.monotonic));
  return settle(now);
}

Commands JobCoordinator::hear(SplitsAcknowledged acknowledged, Moment now) {
  if (!is_current(acknowledged.from)) return {};
  perform(checkpoints_.acknowledge_splits(acknowledged.checkpoint,
                                          head_name(plan_, acknowledged.from.task),
                                          std::move(acknowledged.splits)),
          now);
  return settle(now);
}

// --- the job ---

void JobCoordinator::perform(const JobStateMachine::Actions& actions) {
  for (const JobAction& action : actions) perform(action);
}

void JobCoordinator::perform_noting(const Error& error, const JobStateMachine::Actions& actions) {
  if (job_.state() == JobState::kRestarting && !actions.empty()) give(TellRestart{error});
  perform(actions);
}

void JobCoordinator::perform(const JobAction& action) {
  const Region& region = regions_[action.region];
  switch (action.kind) {
    case JobAction::Kind::kAllocate:
      return give(AllocateAttempt{action.region});
    case JobAction::Kind::kOpenTasks:
      return open(action.region);
    case JobAction::Kind::kStartTasks:
      return each_host(region, [&](const HostAddress& host) {
        give(StartRegion{action.region, host.identity, {region.attempt}});
      });
    case JobAction::Kind::kCloseTasks:
      return each_host(region, [&](const HostAddress& host) {
        give(CloseRegion{action.region, host.identity, {region.attempt}});
      });
    case JobAction::Kind::kWait:
      return give(WaitToRestart{action.region, action.delay});
    case JobAction::Kind::kFinalCheckpoint:
      perform(savepoints_.final_checkpoint_due());
      return checkpoints_.request_final();
    case JobAction::Kind::kReport:
      // Whatever failed when all was committed: nobody's job ends because it is rescaled.
      return give(RecordEnd{rescales_ ? kRescalingState : to_string(job_.state()), job_.refused()});
  }
}

Status JobCoordinator::restore_region(Region& region, const Attempt& attempt) {
  region.attempt = attempt.id;
  region.restored.reset();
  region.origin = attempt.origin;
  checkpoints_.continue_from(attempt.epoch, attempt.next_checkpoint, attempt.completed);
  history_.found(attempt.completed.size());
  epoch_ = attempt.epoch;
  if (!attempt.checkpoint) return {};
  const bool own = attempt.origin.empty();
  Result<RestoredJob> restored =
      own && attempt.checkpoint->job != plan_.logical.job
          ? of_another_job(*attempt.checkpoint, plan_.logical.job)
          : restore_job(plan_, *attempt.checkpoint, settings_.allow_dropped_state);
  if (!restored) {
    return restored.error().with_context(concat(
        "restoring ", own ? to_string(attempt.completed.back()) : in_quotes(attempt.origin)));
  }
  region.restored = *std::move(restored);
  return {};
}

void JobCoordinator::place_region(Region& region, const Placement& placement) {
  check(placement.host_of.size() == region.subtasks.size(), "a task of a region has no place");
  region.hosts = placement.hosts;
  for (std::size_t i = 0; i < region.subtasks.size(); ++i) {
    check(placement.host_of[i] < region.hosts.size(), "a task is placed on a host that is none");
    host_of_[region.subtasks[i].value()] = placement.host_of[i];
  }
}

void JobCoordinator::open(std::size_t index) {
  Region& region = regions_[index];
  for (const SubtaskId subtask : region.subtasks) open_[subtask.value()] = true;
  each_host(region, [&](const HostAddress& host) {
    OpenTasks order{.attempt = region.attempt, .epoch = epoch_, .origin = region.origin};
    if (region.restored) order.checkpoint = region.restored->checkpoint.id;
    for (const SubtaskId id : region.subtasks) {
      if (host_of(id) == host) {
        add_task(order, region, id);
      } else {
        order.elsewhere.push_back({id, host_of_[id.value()]});
      }
    }
    if (!order.elsewhere.empty()) order.hosts = region.hosts;
    give(OpenRegion{index, host.identity, std::move(order)});
  });
  region.restored.reset();
}

void JobCoordinator::add_task(OpenTasks& order, Region& region, SubtaskId id) const {
  const auto& [task, index] = subtasks_[id.value()];
  TaskOrder& added = order.tasks.emplace_back(TaskOrder{id, {}});
  if (region.restored) {
    added.restored = std::move(region.restored->tasks[task.value()][index.value()]);
  }
  if (index == SubtaskIndex(0) && has_splits(plan_, plan_.at(task))) {
    add_enumerator(order, region, task);
  }
}

void JobCoordinator::add_enumerator(OpenTasks& order, const Region& region, TaskId task) const {
  EnumeratorOrder& enumerator = order.enumerators.emplace_back(task, std::nullopt);
  if (!region.restored) return;
  const auto left = region.restored->enumerators.find(head_name(plan_, task));
  if (left != region.restored->enumerators.end()) enumerator.restored = left->second;
}

std::string JobCoordinator::stuck_tasks(const Region& region, const HostAddress& host) const {
  std::string stuck;
  for (const SubtaskId id : region.subtasks) {
    if (!open_[id.value()] || host_of(id) != host) continue;
    const Subtask& subtask = subtasks_[id.value()];
    stuck += concat(stuck.empty() ? "" : ", ", in_quotes(plan_.at(subtask.task).name), " (subtask ",
                    subtask.index.value() + 1, ")");
  }
  return stuck;
}

// --- checkpoints ---

void JobCoordinator::perform(CheckpointCoordinator::Actions actions, Moment now) {
  for (CheckpointAction& action : actions) perform(action, now);
}

void JobCoordinator::perform(CheckpointAction& action, Moment now) {
  const CheckpointName name = action.checkpoint;
  switch (action.kind) {
    case CheckpointAction::Kind::kTrigger:
      return give(ToAllHosts(trigger(action, now)));
    case CheckpointAction::Kind::kWriteMetadata:
      return write_metadata(action);
    case CheckpointAction::Kind::kSwapPointer:
      return give(SwapPointer{name.id, std::move(action.retained)});
    case CheckpointAction::Kind::kComplete:
      history_.completed(name.id, now.wall);
      if (action.final) {
        final_ = name.id;
        perform(job_.final_checkpoint_completed());
      }
      if (action.savepoint) perform(savepoints_.completed(name.id));
      give(ToAllHosts(CompleteCheckpoint{name.id}));
      return give(RemoveUnused{});
    case CheckpointAction::Kind::kAbort:
      history_.aborted(name.id, action.error);
      if (action.failed) give(TellDeclined{name, action.error});
      give(ToAllHosts(AbortCheckpoint{name.id}));
      return perform(savepoints_.aborted(name.id, action.error));
    case CheckpointAction::Kind::kFail: {
      const Error error =
          action.error.with_context(concat("checkpoint ", name.id.value(), " failed"));
      return perform_noting(error, job_.all_failed(error, now.monotonic));
    }
  }
}

// What was asked for holds no records in flight: it is restored with any parallelism.
Trigger JobCoordinator::trigger(const CheckpointAction& action, Moment now) {
  const CheckpointId id = action.checkpoint.id;
  triggered_at_ = now.wall;
  Trigger trigger{{.checkpoint = id, .completed = action.completed}};
  if (action.savepoint && !order_.path.empty()) {
    history_.savepoint_triggered(action.checkpoint, order_.path, now.wall);
  } else {
    history_.triggered(action.checkpoint, now.wall);
  }
  if (action.savepoint) {
    savepoint_name_ = action.checkpoint;
    savepoints_.triggered(id);
    trigger.barrier.savepoint =
        std::make_shared<const SavepointNotice>(SavepointNotice{order_.path, savepoints_.stops()});
  } else if (settings_.checkpoints.aligned_timeout < kMaxTimestamp - triggered_at_) {
    trigger.barrier.overtakes_at = triggered_at_ + settings_.checkpoints.aligned_timeout;
  }
  return trigger;
}

void JobCoordinator::write_metadata(CheckpointAction& action) {
  CheckpointMetadata& metadata = action.metadata;
  metadata.job = plan_.logical.job;
  metadata.fingerprint = fingerprint_;
  metadata.triggered_at_milliseconds = triggered_at_.time_since_epoch().count();
  if (metadata.savepoint) savepoint_metadata_ = take_savepoint(metadata);
  give(WriteMetadata{action.checkpoint, std::move(metadata)});
}

// --- savepoints ---

// Nothing stops where all input has ended meanwhile: the job finishes.
void JobCoordinator::stop() {
  const JobStateMachine::Actions actions = job_.stop();
  const JobState state = job_.state();
  rescales_ =
      savepoints_.rescales() && (state == JobState::kStopping || state == JobState::kStopped);
  perform(actions);
}

std::string JobCoordinator::what_for() const {
  return order_.then == AfterSavepoint::kRescale ? "a checkpoint to rescale from"
                                                 : concat("savepoint ", in_quotes(order_.path));
}

void JobCoordinator::perform(const SavepointRequests::Actions& actions) {
  for (const SavepointAction& action : actions) perform(action);
}

void JobCoordinator::perform(const SavepointAction& action) {
  switch (action.kind) {
    case SavepointAction::Kind::kMake:
      return give(MakeSavepoint{order_.path});
    case SavepointAction::Kind::kTake:
      return checkpoints_.request_savepoint(!savepoints_.rescales());
    case SavepointAction::Kind::kWithdraw:
      return checkpoints_.withdraw_savepoint();
    case SavepointAction::Kind::kDrain:
      return give(ToAllHosts(Drain{}));
    case SavepointAction::Kind::kWrite:
      return give(WriteSavepoint{savepoint_name_, std::move(savepoint_metadata_)});
    case SavepointAction::Kind::kDiscard:
      return give(DiscardSavepoint{});
    case SavepointAction::Kind::kResume:
      return give(ToAllHosts(ResumeSources{}));
    case SavepointAction::Kind::kStop:
      return stop();
    case SavepointAction::Kind::kReply:
      return give(
          TellSavepoint{action.result ? Status() : action.result.error().with_context(what_for())});
  }
}

}  // namespace millrace::detail
