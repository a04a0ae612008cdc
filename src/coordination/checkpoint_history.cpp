#include "millrace/coordination/checkpoint_history.h"

#include <algorithm>
#include <utility>

namespace millrace::detail {

void CheckpointHistory::found(std::size_t completed) {
  completed_ = std::max<std::uint64_t>(completed_, completed);
}

void CheckpointHistory::triggered(const CheckpointName& name, Timestamp now) {
  add({.id = name.id.value(), .path = to_string(name), .savepoint = false, .triggered = now});
}

void CheckpointHistory::savepoint_triggered(const CheckpointName& name, std::string path,
                                            Timestamp now) {
  add({.id = name.id.value(), .path = std::move(path), .savepoint = true, .triggered = now});
}

void CheckpointHistory::completed(CheckpointId id, Timestamp now) {
  ++completed_;
  CheckpointReport* const report = find(id);
  if (report != nullptr && !report->savepoint) report->completed = now;
}

void CheckpointHistory::savepoint_written(CheckpointId id, const Status& status, Timestamp now) {
  if (!status) return aborted(id, status.error());
  if (CheckpointReport* const report = find(id)) report->completed = now;
}

void CheckpointHistory::aborted(CheckpointId id, const Error& error) {
  if (CheckpointReport* const report = find(id)) report->failure = error.message();
}

void CheckpointHistory::add(CheckpointReport report) {
  if (last_.size() == kRemembered) last_.erase(last_.begin());
  last_.push_back(std::move(report));
}

CheckpointReport* CheckpointHistory::find(CheckpointId id) {
  const auto found = std::ranges::find(last_, id.value(), &CheckpointReport::id);
  return found == last_.end() ? nullptr : &*found;
}

}  // namespace millrace::detail
