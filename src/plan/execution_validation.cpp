#include <algorithm>
#include <optional>

#include "millrace/core/records/key_group.h"
#include "millrace/core/text.h"
#include "millrace/plan/channels.h"
#include "millrace/plan/execution_plan.h"
#include "millrace/plan/plan_graph.h"
#include "millrace/plan/plan_validation.h"

namespace millrace::detail {
namespace {

// Follows every position in the plan and fails at the first that leads nowhere, or twice to
// the same place.
class Validator {
 public:
  explicit Validator(const ExecutionPlan& plan)
      : plan_(plan),
        graph_(plan.logical),
        place_of_(plan.logical.operators.size()),
        edge_is_used_(plan.logical.edges.size(), false) {}

  Status run() {
    if (Status status = check_header(); !status) return status;
    for (const TaskSpec& task : plan_.tasks) {
      if (Status status = check_task(task); !status) return status;
    }
    for (const TaskSpec& task : plan_.tasks) {
      if (Status status = check_chain(task); !status) return status;
    }
    for (const TaskEdge& edge : plan_.edges) {
      if (Status status = check_edge(edge); !status) return status;
    }
    return check_complete();
  }

 private:
  struct Place {
    TaskId task;
    std::size_t position;  // in TaskSpec::operators
  };

  static Error wrong(std::string message) {
    return invalid_argument(concat("the execution plan does not fit together: ", message));
  }

  Status check_header() const {
    if (plan_.mode == Mode::kAutomatic) return wrong("its mode is not resolved");
    if (plan_.max_parallelism == 0 || plan_.max_parallelism > kMostMaxParallelism) {
      return wrong(concat("it has ", plan_.max_parallelism, " key groups"));
    }
    return {};
  }

  Status check_task(const TaskSpec& task) {
    if (&plan_.tasks[0] + task.id.value() != &task) {
      return wrong(concat("task ", task.id.value(), " is not at the position of its id"));
    }
    if (task.parallelism == 0 || task.parallelism > task.max_parallelism ||
        task.max_parallelism > kMostMaxParallelism) {
      return wrong(concat("task ", in_quotes(task.name), " has ", task.parallelism,
                          " subtasks and ", task.max_parallelism, " key groups"));
    }
    for (std::size_t position = 0; position < task.operators.size(); ++position) {
      if (Status status = place(task, position); !status) return status;
    }
    if (task.operators.empty()) return wrong(concat(in_quotes(task.name), " has no operator"));
    return {};
  }

  Status place(const TaskSpec& task, std::size_t position) {
    const OperatorIndex index = task.operators[position];
    if (index.value() >= place_of_.size()) {
      return wrong(concat("task ", in_quotes(task.name), " has an unknown operator"));
    }
    const OperatorSpec& spec = plan_.logical.at(index);
    std::optional<Place>& place = place_of_[index.value()];
    if (place) return wrong(concat("operator ", in_quotes(spec.name), " is in two places"));
    if (spec.single && task.parallelism != 1) {
      return wrong(concat("operator ", in_quotes(spec.name), " can only have one subtask"));
    }
    place = Place{task.id, position};
    return {};
  }

  // Each operator after the head hangs on one before it.
  Status check_chain(const TaskSpec& task) {
    std::vector<bool> joined(task.operators.size(), false);
    for (const EdgeIndex edge : task.chained) {
      if (Status status = use(edge); !status) return status;
      const std::optional<Place>& from = place_of_[graph_.from(edge).value()];
      const std::optional<Place>& to = place_of_[graph_.to(edge).value()];
      if (!from || !to || from->task != task.id || to->task != task.id ||
          from->position >= to->position || joined[to->position] ||
          plan_.logical.at(edge).exchange != Exchange::kForward) {
        return wrong(
            concat("edge ", edge.value(), " cannot be inside task ", in_quotes(task.name)));
      }
      joined[to->position] = true;
    }
    if (task.chained.size() + 1 == task.operators.size()) return {};
    return wrong(concat("an operator of task ", in_quotes(task.name), " hangs on none"));
  }

  Status check_edge(const TaskEdge& edge) {
    if (Status status = use(edge.edge); !status) return status;
    const std::optional<Place>& from = place_of_[graph_.from(edge.edge).value()];
    const std::optional<Place>& to = place_of_[graph_.to(edge.edge).value()];
    if (!from || !to || from->task != edge.from || to->task != edge.to || to->position != 0 ||
        edge.from >= edge.to) {
      return wrong(concat("edge ", edge.edge.value(), " does not join its two tasks"));
    }
    const Exchange wanted = plan_.logical.at(edge.edge).exchange;
    const bool spread = wanted == Exchange::kForward && edge.exchange == Exchange::kRebalance;
    const bool equal = plan_.at(edge.from).parallelism == plan_.at(edge.to).parallelism;
    if ((edge.exchange != wanted && !spread) || (edge.exchange == Exchange::kForward && !equal)) {
      return wrong(concat("edge ", edge.edge.value(), " cannot be a ", to_string(edge.exchange)));
    }
    return {};
  }

  Status use(EdgeIndex edge) {
    if (edge.value() >= edge_is_used_.size() || edge_is_used_[edge.value()]) {
      return wrong(concat("edge ", edge.value(), " is unknown or used twice"));
    }
    edge_is_used_[edge.value()] = true;
    return {};
  }

  Status check_complete() const {
    if (!std::ranges::all_of(place_of_, &std::optional<Place>::has_value)) {
      return wrong("an operator is in no task");
    }
    if (std::ranges::find(edge_is_used_, false) != edge_is_used_.end()) {
      return wrong("an edge is in no task and between none");
    }
    return {};
  }

  const ExecutionPlan& plan_;
  PlanGraph graph_;
  std::vector<std::optional<Place>> place_of_;
  std::vector<bool> edge_is_used_;
};

}  // namespace

Status validate(const ExecutionPlan& plan) {
  if (Status status = validate(plan.logical); !status) return status;
  if (Status status = Validator(plan).run(); !status) return status;
  return check_channels(plan);
}

}  // namespace millrace::detail
