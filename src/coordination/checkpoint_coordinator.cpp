#include "millrace/coordination/checkpoint_coordinator.h"

#include <algorithm>
#include <utility>

#include "millrace/core/text.h"

namespace millrace::detail {

using Actions = CheckpointCoordinator::Actions;
using Kind = CheckpointAction::Kind;
using State = CheckpointState;

namespace {

constexpr std::chrono::milliseconds kPauseOfSwaps{200};

}  // namespace

std::string_view to_string(CheckpointAction::Kind kind) {
  constexpr std::string_view kWords[] = {"trigger",  "write metadata", "swap pointer",
                                         "complete", "abort",          "fail"};
  return kWords[static_cast<std::size_t>(kind)];
}

CheckpointCoordinator::CheckpointCoordinator(CheckpointSettings settings, std::size_t subtasks,
                                             std::size_t enumerators)
    : settings_(settings), subtasks_(subtasks), enumerators_(enumerators) {}

void CheckpointCoordinator::resume(Time now) {
  running_ = true;
  failures_ = 0;
  periodic_at_ = now + settings_.interval;
  if (state_ == State::kStopped) state_ = State::kWaiting;
}

void CheckpointCoordinator::continue_from(std::uint64_t epoch, CheckpointId next,
                                          std::vector<CheckpointName> retained) {
  epoch_ = epoch;
  next_ = std::max(next_, next);
  retained_ = std::move(retained);
}

Actions CheckpointCoordinator::stop(Time now) {
  running_ = false;
  final_requested_ = false;
  if (state_ == State::kWaiting) state_ = State::kStopped;
  const bool ends_here =
      state_ == State::kCollecting || state_ == State::kWriting || state_ == State::kInDoubt;
  if (!ends_here) return {};
  finish(now);
  return {{.kind = Kind::kAbort,
           .checkpoint = pending_.name,
           .savepoint = pending_.savepoint,
           .error = unavailable("its tasks failed or were stopped before it was complete")}};
}

Actions CheckpointCoordinator::tick(Time now) {
  const std::optional<Time> due = wake_at();
  if (!due || now < *due) return {};
  if (state_ == State::kWaiting) return trigger(now);
  if (state_ == State::kInDoubt) return swap();
  return abort(unavailable(concat("checkpoint ", pending_.name.id.value(), ": ", pending_.missing,
                                  " of ", subtasks_ + enumerators_,
                                  " acknowledgements did not come before its timeout "
                                  "(execution.checkpointing.timeout)")),
               now);
}

std::optional<CheckpointCoordinator::Time> CheckpointCoordinator::wake_at() const {
  switch (state_) {
    case State::kWaiting:
      if (final_requested_ || savepoint_requested_) return Time::min();
      if (settings_.interval == Time(0)) return std::nullopt;
      return periodic_at_;
    case State::kCollecting:
    case State::kWriting:
      return pending_.timeout_at;
    case State::kInDoubt:
      return pending_.swap_again_at;
    case State::kStopped:
    case State::kSwapping:
      break;
  }
  return std::nullopt;
}

Actions CheckpointCoordinator::trigger(Time now) {
  state_ = State::kCollecting;
  pending_ = {.name = {next_, epoch_},
              .savepoint = std::exchange(savepoint_requested_, false),
              .rows = std::exchange(rows_requested_, false),
              .final = final_requested_,
              .timeout_at = now + settings_.timeout,
              .tasks = std::vector<std::optional<TaskSnapshot>>(subtasks_),
              .missing = subtasks_ + enumerators_};
  next_ = CheckpointId(next_.value() + 1);
  periodic_at_ = now + settings_.interval;
  return {{.kind = Kind::kTrigger,
           .checkpoint = pending_.name,
           .completed = retained_.empty() ? CheckpointId(0) : retained_.back().id,
           .final = pending_.final,
           .savepoint = pending_.savepoint}};
}

bool CheckpointCoordinator::is_pending(CheckpointId id, State state) const {
  return state_ == state && pending_.name.id == id;
}

Actions CheckpointCoordinator::acknowledge(CheckpointId id, Acknowledgement acknowledged,
                                           Time now) {
  if (!is_pending(id, State::kCollecting)) return {};
  if (pending_.rows && !acknowledged.savepoint) {
    return abort(internal("a task has taken the savepoint for a checkpoint, without its rows"),
                 now);
  }
  std::optional<TaskSnapshot>& task = pending_.tasks[acknowledged.subtask];
  check(!task, "a subtask acknowledged a checkpoint twice");
  task = std::move(acknowledged.snapshot);
  return count_acknowledgement();
}

Actions CheckpointCoordinator::acknowledge_splits(CheckpointId id, const std::string& source,
                                                  std::optional<StatePiece> splits) {
  if (!is_pending(id, State::kCollecting)) return {};
  const bool first = pending_.splits.emplace(source, std::move(splits)).second;
  check(first, "an enumerator acknowledged a checkpoint twice");
  return count_acknowledgement();
}

Actions CheckpointCoordinator::count_acknowledgement() {
  if (--pending_.missing > 0) return {};
  state_ = State::kWriting;
  return {{.kind = Kind::kWriteMetadata,
           .checkpoint = pending_.name,
           .final = pending_.final,
           .savepoint = pending_.savepoint,
           .metadata = metadata()}};
}

CheckpointMetadata CheckpointCoordinator::metadata() const {
  CheckpointMetadata metadata{
      .id = pending_.name.id.value(), .epoch = pending_.name.epoch, .savepoint = pending_.rows};
  for (const std::optional<TaskSnapshot>& task : pending_.tasks) metadata.tasks.push_back(*task);
  for (const auto& [source, splits] : pending_.splits) {
    if (splits) metadata.enumerators.emplace(source, *splits);
  }
  return metadata;
}

Actions CheckpointCoordinator::decline(CheckpointId id, const std::optional<Error>& error,
                                       Time now) {
  if (!is_pending(id, State::kCollecting)) return {};
  if (error) return abort(*error, now);
  finish(now);
  return {{.kind = Kind::kAbort,
           .checkpoint = pending_.name,
           .savepoint = pending_.savepoint,
           .error = unavailable("a task reads an input to its end before another, and takes no "
                                "checkpoint until then; try again later")}};
}

Actions CheckpointCoordinator::metadata_written(CheckpointId id, const Status& written, Time now) {
  if (!is_pending(id, State::kWriting)) return {};
  if (!written) return abort(written.error(), now);
  return swap();
}

Actions CheckpointCoordinator::swap() {
  state_ = State::kSwapping;
  return {{.kind = Kind::kSwapPointer,
           .checkpoint = pending_.name,
           .final = pending_.final,
           .retained = retained_with(pending_.name)}};
}

std::vector<CheckpointName> CheckpointCoordinator::retained_with(CheckpointName name) const {
  std::vector<CheckpointName> retained = retained_;
  retained.push_back(name);
  const std::size_t most = std::max<std::size_t>(settings_.retained, 1);
  if (retained.size() > most) {
    retained.erase(retained.begin(), retained.end() - static_cast<std::ptrdiff_t>(most));
  }
  return retained;
}

Actions CheckpointCoordinator::pointer_swapped(CheckpointId id, const Status& swapped, Time now) {
  if (!is_pending(id, State::kSwapping)) return {};
  const bool in_doubt = !swapped && swapped.error().code() == ErrorCode::kUnavailable;
  if (in_doubt && running_ && now < pending_.timeout_at) {
    state_ = State::kInDoubt;
    pending_.swap_again_at = now + kPauseOfSwaps;
    return {};
  }
  if (!swapped) return abort(swapped.error(), now);
  finish(now);
  failures_ = 0;
  retained_ = retained_with(pending_.name);
  if (pending_.final) final_requested_ = false;
  return {{.kind = Kind::kComplete,
           .checkpoint = pending_.name,
           .final = pending_.final,
           .savepoint = pending_.savepoint}};
}

Actions CheckpointCoordinator::abort(const Error& error, Time now) {
  finish(now);
  Actions actions{{.kind = Kind::kAbort,
                   .checkpoint = pending_.name,
                   .savepoint = pending_.savepoint,
                   .failed = !pending_.savepoint,
                   .error = error}};
  // Who lost the lead can do nothing more, however often it tries.
  const bool fatal = error.code() == ErrorCode::kCancelled;
  if (!pending_.savepoint) ++failures_;
  if (running_ && (failures_ > settings_.tolerable_failures || fatal)) {
    actions.push_back({.kind = Kind::kFail, .checkpoint = pending_.name, .error = error});
  }
  return actions;
}

void CheckpointCoordinator::finish(Time now) {
  state_ = running_ ? State::kWaiting : State::kStopped;
  periodic_at_ = std::max(periodic_at_, now + settings_.min_pause);
}

}  // namespace millrace::detail
