#include "millrace/plan/subtasks.h"

#include <algorithm>

namespace millrace::detail {

std::vector<Subtask> subtasks_of(const ExecutionPlan& plan) {
  std::vector<Subtask> subtasks;
  for (const TaskSpec& task : plan.tasks) {
    for (std::uint32_t i = 0; i < task.parallelism; ++i) {
      subtasks.push_back({task.id, SubtaskIndex(i)});
    }
  }
  return subtasks;
}

bool has_splits(const ExecutionPlan& plan, const TaskSpec& task) {
  return plan.logical.at(task.operators.front()).splits;
}

std::size_t count_keyed(const ExecutionPlan& plan, const Subtask& subtask) {
  const auto keyed = std::ranges::count_if(
      plan.at(subtask.task).operators,
      [&](OperatorIndex index) { return !plan.logical.at(index).key_schema.empty(); });
  return static_cast<std::size_t>(keyed);
}

}  // namespace millrace::detail
