// What runs: the logical plan cut into tasks (chains of operators, each in `parallelism` subtasks)
// and the exchanges between them. The coordinator derives it, again at each rescale; job processes
// receive it and follow, also where their own version of Millrace would have planned otherwise.
//
// Chaining follows Flink. An edge is inside a task if it is a forward edge between operators of the
// same parallelism, number of key groups, slot sharing group and blocking, the only edge into its
// consumer, and permitted by both. An operator may have several chained consumers: a chain is a
// tree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "millrace/core/ids.h"
#include "millrace/core/records/key_group.h"
#include "millrace/core/result.h"
#include "millrace/plan/logical_plan.h"

namespace millrace::detail {

struct TaskSpec {
  TaskId id;                             // its position in ExecutionPlan::tasks
  std::string name;                      // "payments -> map-1 -> (count, print-1)"
  std::vector<OperatorIndex> operators;  // the head first, depth first
  std::vector<EdgeIndex> chained;        // the edges inside, each before those that follow it
  std::uint32_t parallelism = 1;
  std::uint32_t max_parallelism = 1;  // the key groups of its operators
  std::string slot_sharing_group;
  bool blocking = false;

  KeyGroupLayout key_groups() const { return {parallelism, max_parallelism}; }

  bool operator==(const TaskSpec&) const = default;
};

// An edge between tasks; it ends at the head of its target.
struct TaskEdge {
  EdgeIndex edge;
  TaskId from;
  TaskId to;
  Exchange exchange = Exchange::kForward;  // a forward that could not be kept is a rebalance here

  bool operator==(const TaskEdge&) const = default;
};

struct ExecutionPlan {
  LogicalPlan logical;
  Mode mode = Mode::kStreaming;       // never automatic
  std::uint32_t max_parallelism = 1;  // of operators that do not say
  std::vector<TaskSpec> tasks;        // producers before consumers, sources first
  std::vector<TaskEdge> edges;        // in the order of the logical plan

  const TaskSpec& at(TaskId id) const { return tasks[id.value()]; }

  bool operator==(const ExecutionPlan&) const = default;
};

// kInvalidArgument if the logical plan does not validate, or needs too many channels.
Result<ExecutionPlan> make_execution_plan(const LogicalPlan& plan);

// Whether the parts of a plan that came from elsewhere fit together, so that code may follow its
// ids and positions. The logical plan in it is validated too.
Status validate(const ExecutionPlan& plan);

// Each slot takes one subtask of every task of its slot sharing group.
std::uint32_t slots_required(const ExecutionPlan& plan);

}  // namespace millrace::detail
