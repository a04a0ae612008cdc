// All subtasks of an execution plan: those of a task one after the other, the tasks in their order,
// producers before consumers. A function of the plan, so that everybody numbers them alike.
#pragma once

#include <vector>

#include "millrace/core/ids.h"
#include "millrace/plan/execution_plan.h"

namespace millrace::detail {

struct Subtask {
  TaskId task{};
  SubtaskIndex index{};

  bool operator==(const Subtask&) const = default;
};

// By SubtaskId.
std::vector<Subtask> subtasks_of(const ExecutionPlan& plan);

// Whether an enumerator deals out what the task reads.
bool has_splits(const ExecutionPlan& plan, const TaskSpec& task);

// So many instances of operators with state by key does the subtask have.
std::size_t count_keyed(const ExecutionPlan& plan, const Subtask& subtask);

}  // namespace millrace::detail
