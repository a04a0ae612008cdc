#include "millrace/coordination/adoption.h"

#include <algorithm>

#include "millrace/coordination/regions.h"
#include "millrace/plan/subtasks.h"

namespace millrace::detail {
namespace {

std::vector<std::size_t> region_of_subtasks(const ExecutionPlan& plan) {
  const std::vector<std::size_t> region_of_task = regions_of(plan);
  std::vector<std::size_t> regions;
  for (const Subtask& subtask : subtasks_of(plan)) {
    regions.push_back(region_of_task[subtask.task.value()]);
  }
  return regions;
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
    : region_of_(region_of_subtasks(plan)), mark_(mark) {}

bool Adoption::is_of(const std::vector<AttemptId>& attempts) const {
  return std::ranges::all_of(attempt_of_, [&](const auto& entry) {
    const auto& [region, attempt] = entry;
    return region < attempts.size() && attempts[region] == attempt;
  });
}

void Adoption::hear(const HostReady& ready) {
  if (ready.tasks.empty()) return;
  hosts_[ready.address.identity] = ready.address;
  triggered_ = std::max(triggered_, ready.triggered);
  possible_ = possible_ && ready.plan == mark_ && !ready.drained;
  for (const HeldTask& held : ready.tasks) add(held, ready.address.identity);
}

void Adoption::add(const HeldTask& held, const std::string& host) {
  const std::size_t subtask = held.task.subtask.value();
  possible_ = possible_ && subtask < region_of_.size() && runs(held.condition);
  if (!possible_) return;
  const AttemptId attempt = held.task.attempt;
  const bool is_new = tasks_.try_emplace(held.task.subtask, Known{held, host}).second;
  const auto of_region = attempt_of_.emplace(region_of_[subtask], attempt).first;
  possible_ = is_new && of_region->second == attempt;
}

void Adoption::hear(const TaskFinished& finished) {
  const auto known = tasks_.find(finished.from.subtask);
  if (known == tasks_.end() || known->second.held.task != finished.from) return;
  known->second.held.condition = TaskCondition::kFinished;
}

void Adoption::lose(const TaskAddress& task) {
  const auto known = tasks_.find(task.subtask);
  possible_ = possible_ && (known == tasks_.end() || known->second.held.task != task);
}

void Adoption::host_lost(const std::string& identity) {
  possible_ = possible_ && !hosts_.contains(identity);
}

std::optional<RunningTasks> Adoption::complete() const {
  if (!possible_ || tasks_.size() < region_of_.size()) return std::nullopt;
  RunningTasks running{.triggered = triggered_};
  std::map<std::string, std::uint32_t> position;
  for (const auto& [identity, address] : hosts_) {
    position.emplace(identity, static_cast<std::uint32_t>(running.hosts.size()));
    running.hosts.push_back(address);
  }
  for (const auto& [subtask, known] : tasks_) {
    running.tasks.push_back({.attempt = known.held.task.attempt,
                             .host = position.at(known.host),
                             .finished = known.held.condition == TaskCondition::kFinished});
  }
  return running;
}

}  // namespace millrace::detail
