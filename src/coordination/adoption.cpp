#include "millrace/coordination/adoption.h"

#include <algorithm>
#include <set>

#include "millrace/coordination/regions.h"
#include "millrace/plan/subtasks.h"

namespace millrace::detail {
namespace {

std::vector<TaskId> tasks_of_subtasks(const ExecutionPlan& plan) {
  std::vector<TaskId> tasks;
  for (const Subtask& subtask : subtasks_of(plan)) tasks.push_back(subtask.task);
  return tasks;
}

bool runs(TaskCondition condition) {
  return condition == TaskCondition::kRunning || condition == TaskCondition::kFinished;
}

}  // namespace

std::vector<std::string> RunningTasks::host_of() const {
  std::vector<std::string> identities;
  for (const Task& task : tasks) identities.push_back(hosts[task.host].identity);
  return identities;
}

Adoption::Adoption(const ExecutionPlan& plan, std::uint64_t mark)
    : task_of_(tasks_of_subtasks(plan)), region_of_(regions_of(plan)), mark_(mark) {}

void Adoption::hear(const EnumeratorFailed& failed) {
  const auto first = std::ranges::find(task_of_, failed.from.task);
  const SubtaskId subtask(static_cast<std::uint32_t>(first - task_of_.begin()));
  note({subtask, failed.from.attempt}, TaskCondition::kFailed);
}

void Adoption::host_lost(const std::string& identity) {
  const auto host = hosts_.find(identity);
  if (host != hosts_.end()) host->second.lost = true;
}

void Adoption::note(const TaskAddress& task, TaskCondition condition) {
  for (auto& [identity, host] : hosts_) {
    for (HeldTask& held : host.ready.tasks) {
      if (held.task == task) held.condition = std::max(held.condition, condition);
    }
  }
}

bool Adoption::counts(const TaskAddress& task) const {
  if (task.subtask.value() >= task_of_.size()) return false;
  const std::size_t region = region_of_[task_of_[task.subtask.value()].value()];
  return region < attempts_->size() && (*attempts_)[region] == task.attempt;
}

bool Adoption::counts(const Host& host) const {
  return std::ranges::any_of(host.ready.tasks,
                             [&](const HeldTask& held) { return counts(held.task); });
}

// A job without an attempt has no tasks.
bool Adoption::is_impossible() const {
  if (!attempts_) return false;
  if (attempts_->empty()) return true;
  std::set<SubtaskId> known;
  for (const auto& [identity, host] : hosts_) {
    if (!counts(host)) continue;
    if (host.lost || host.ready.drained || host.ready.plan != mark_) return true;
    for (const HeldTask& held : host.ready.tasks) {
      if (!counts(held.task)) continue;
      if (!runs(held.condition) || !known.insert(held.task.subtask).second) return true;
    }
  }
  return false;
}

std::optional<RunningTasks> Adoption::complete() const {
  if (!attempts_ || is_impossible()) return std::nullopt;
  RunningTasks running;
  std::map<SubtaskId, RunningTasks::Task> tasks;
  for (const auto& [identity, host] : hosts_) {
    if (!counts(host)) continue;
    const auto position = static_cast<std::uint32_t>(running.hosts.size());
    running.hosts.push_back(host.ready.address);
    running.triggered = std::max(running.triggered, host.ready.triggered);
    for (const HeldTask& held : host.ready.tasks) {
      if (!counts(held.task)) continue;
      tasks[held.task.subtask] = {.attempt = held.task.attempt,
                                  .host = position,
                                  .finished = held.condition == TaskCondition::kFinished};
    }
  }
  if (tasks.size() < task_of_.size()) return std::nullopt;
  for (const auto& [subtask, task] : tasks) running.tasks.push_back(task);
  return running;
}

}  // namespace millrace::detail
