#include "millrace/coordination/job_state.h"

#include <algorithm>
#include <iterator>

#include "millrace/coordination/restart_strategy.h"
#include "millrace/core/text.h"

namespace millrace::detail {

using Kind = JobAction::Kind;
using Actions = JobStateMachine::Actions;

std::string_view to_string(JobState state) {
  constexpr std::string_view kWords[] = {"starting",  "running",  "restarting", "finishing",
                                         "finished",  "failing",  "failed",     "cancelling",
                                         "cancelled", "stopping", "stopped"};
  return kWords[static_cast<std::size_t>(state)];
}

namespace {

// Whether trying again changes nothing where it keeps a job from beginning, such as state of
// another type, a file that is not there, or a disk that is full. Who has just started the job is
// told at once; one that has run before waits.
bool is_wrong_in_itself(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kUnsupported:
    case ErrorCode::kCorruption:
      return true;
    default:
      return false;
  }
}

}  // namespace

JobStateMachine::JobStateMachine(const std::vector<std::size_t>& regions, RestartSettings restart,
                                 Random random, bool has_run)
    : restart_(restart), random_(random), has_run_(has_run) {
  for (const std::size_t tasks : regions) regions_.push_back({.tasks = tasks});
}

bool JobStateMachine::all(RegionState state) const {
  return std::ranges::all_of(regions_, [&](const Region& r) { return r.state == state; });
}

bool JobStateMachine::all_tasks(std::size_t Region::*counted) const {
  return std::ranges::all_of(regions_, [&](const Region& r) { return r.*counted == r.tasks; });
}

bool JobStateMachine::alive() const {
  return state_ == JobState::kStarting || state_ == JobState::kRunning ||
         state_ == JobState::kRestarting;
}

bool JobStateMachine::ended() const {
  return state_ == JobState::kFinished || state_ == JobState::kFailed ||
         state_ == JobState::kCancelled || state_ == JobState::kStopped;
}

JobAction JobStateMachine::act(Kind kind, const Region& region, Time delay) const {
  return {kind, static_cast<std::size_t>(&region - regions_.data()), delay};
}

Actions JobStateMachine::start() {
  Actions actions;
  for (const Region& region : regions_) actions.push_back(act(Kind::kAllocate, region));
  return actions;
}

Actions JobStateMachine::adopt(const std::vector<std::size_t>& finished) {
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    Region& region = regions_[i];
    region.state = RegionState::kRunning;
    region.opened = region.tasks;
    region.finished = finished[i];
  }
  state_ = JobState::kRunning;
  has_run_ = true;
  if (!all_tasks(&Region::finished)) return {};
  return {{.kind = Kind::kFinalCheckpoint}};
}

Actions JobStateMachine::allocated(std::size_t index) {
  Region& region = regions_[index];
  if (!alive()) {
    region.state = RegionState::kClosed;
    return settle();
  }
  region = {.tasks = region.tasks, .state = RegionState::kOpening};
  return {act(Kind::kOpenTasks, region)};
}

Actions JobStateMachine::allocation_failed(std::size_t index, Error error, Time now) {
  Region& region = regions_[index];
  if (!alive()) {
    region.state = RegionState::kClosed;
    return settle();
  }
  region.state = RegionState::kOpening;
  region.closed = region.tasks;  // there are none
  return fail({&region, 1}, std::move(error), now);
}

Actions JobStateMachine::task_opened(std::size_t index) {
  Region& region = regions_[index];
  if (region.state != RegionState::kOpening || ++region.opened < region.tasks) return {};
  region.state = RegionState::kRunning;
  if (all(RegionState::kRunning)) {
    state_ = JobState::kRunning;
    has_run_ = true;
  }
  return {act(Kind::kStartTasks, region)};
}

Actions JobStateMachine::task_finished(std::size_t index) {
  Region& region = regions_[index];
  if (region.state != RegionState::kRunning) return {};
  ++region.finished;
  if (state_ != JobState::kRunning || !all_tasks(&Region::finished)) return {};
  return {{.kind = Kind::kFinalCheckpoint}};
}

Actions JobStateMachine::final_checkpoint_completed() {
  completing_ = state_ == JobState::kRunning;
  for (Region& region : regions_) region.committed = 0;
  return {};
}

Actions JobStateMachine::task_committed_final(std::size_t index) {
  ++regions_[index].committed;
  if (!completing_ || state_ != JobState::kRunning || !all_tasks(&Region::committed)) return {};
  return end(JobState::kFinishing);
}

bool JobStateMachine::runs(const Region& region) const {
  return region.state == RegionState::kOpening || region.state == RegionState::kRunning;
}

Actions JobStateMachine::task_failed(std::size_t index, Error error, Time now) {
  Region& region = regions_[index];
  const bool ends_well = state_ == JobState::kFinishing || state_ == JobState::kStopping;
  if (ends_well && result_) result_ = error;
  return alive() && runs(region) ? fail({&region, 1}, std::move(error), now) : Actions();
}

Actions JobStateMachine::splits_failed(std::size_t index, Error error, Time now) {
  Region& region = regions_[index];
  const bool final = is_wrong_in_itself(error);
  return alive() && runs(region) ? fail({&region, 1}, std::move(error), now, final) : Actions();
}

Actions JobStateMachine::all_failed(Error error, Time now) {
  return alive() ? fail(regions_, std::move(error), now) : Actions();
}

Actions JobStateMachine::fail(std::span<Region> regions, Error error, Time now) {
  const bool final = !has_run_ && is_wrong_in_itself(error);
  return fail(regions, std::move(error), now, final || error.code() == ErrorCode::kCancelled);
}

Actions JobStateMachine::fail(std::span<Region> regions, Error error, Time now, bool final) {
  failures_.push_back(now);
  completing_ = false;
  const auto delay = final ? std::nullopt : restart_delay(restart_, failures_, random_);
  if (!delay) {
    result_ = explained(std::move(error));
    return end(JobState::kFailing);
  }
  state_ = JobState::kRestarting;
  Actions actions;
  for (Region& region : regions) {
    if (!runs(region)) continue;
    region.delay = *delay;
    std::ranges::move(close(region), std::back_inserter(actions));
  }
  return actions;
}

Error JobStateMachine::explained(Error error) const {
  const std::size_t restarts = failures_.size() - 1;
  if (restarts == 0) return error;
  return error.with_context(
      concat("given up after ", restarts, restarts == 1 ? " restart" : " restarts"));
}

Actions JobStateMachine::end(JobState state) {
  state_ = state;
  return close_all();
}

Actions JobStateMachine::close_all() {
  Actions actions;
  for (Region& region : regions_) {
    if (region.state == RegionState::kWaiting) region.state = RegionState::kClosed;
    if (runs(region)) std::ranges::move(close(region), std::back_inserter(actions));
  }
  std::ranges::move(settle(), std::back_inserter(actions));
  return actions;
}

// A region without tasks, whose attempt could not be allocated, is closed at once.
Actions JobStateMachine::close(Region& region) {
  const std::size_t index = static_cast<std::size_t>(&region - regions_.data());
  region.state = RegionState::kClosing;
  if (region.closed < region.tasks) return {act(Kind::kCloseTasks, region)};
  --region.closed;
  return task_closed(index);
}

Actions JobStateMachine::task_closed(std::size_t index) {
  Region& region = regions_[index];
  if (++region.closed < region.tasks || ended()) return {};
  check(region.state == RegionState::kClosing, "all tasks closed although nobody told them to");
  if (alive()) {
    region.state = RegionState::kWaiting;
    return {act(Kind::kWait, region, region.delay)};
  }
  region.state = RegionState::kClosed;
  return settle();
}

Actions JobStateMachine::delay_over(std::size_t index) {
  Region& region = regions_[index];
  if (region.state != RegionState::kWaiting) return {};
  region.state = RegionState::kAllocating;
  return {act(Kind::kAllocate, region)};
}

Actions JobStateMachine::cancel() {
  if (!alive()) return {};
  result_ = cancelled("the job was cancelled");
  return end(JobState::kCancelling);
}

Actions JobStateMachine::stop() { return alive() ? end(JobState::kStopping) : Actions(); }

Actions JobStateMachine::closing_timed_out(Error error) {
  if (ended()) return {};
  if (result_ || state_ == JobState::kCancelling) result_ = std::move(error);
  state_ = JobState::kFailed;
  return {{.kind = Kind::kReport}};
}

// Once all regions are closed the job has ended.
Actions JobStateMachine::settle() {
  if (!all(RegionState::kClosed) || ended()) return {};
  switch (state_) {
    case JobState::kFinishing:
      state_ = result_ ? JobState::kFinished : JobState::kFailed;
      break;
    case JobState::kStopping:
      state_ = result_ ? JobState::kStopped : JobState::kFailed;
      break;
    case JobState::kFailing:
      state_ = JobState::kFailed;
      break;
    case JobState::kCancelling:
      state_ = JobState::kCancelled;
      break;
    default:
      check(false, "all tasks are closed, but the job has no end");
  }
  return {{.kind = Kind::kReport}};
}

}  // namespace millrace::detail
