#include "millrace/plan/execution_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "millrace/plan/channels.h"
#include "millrace/plan/plan_graph.h"
#include "millrace/plan/plan_validation.h"

namespace millrace::detail {
namespace {

class Planner {
 public:
  explicit Planner(const LogicalPlan& plan) : graph_(plan) {
    result_.logical = plan;
    result_.mode = resolve_mode(plan);
    result_.max_parallelism = max_parallelism();
  }

  ExecutionPlan plan() {
    const std::vector<OperatorIndex> order = graph_.topological_order();
    resolve_groups(order);
    resolve_exchanges();
    task_of_.resize(order.size());
    for (const OperatorIndex index : order) {
      if (is_head(index)) add_task(index);
    }
    add_edges();
    return std::move(result_);
  }

 private:
  const LogicalPlan& logical() const { return result_.logical; }
  const OperatorSpec& spec(OperatorIndex index) const { return logical().at(index); }
  std::uint32_t parallelism(OperatorIndex index) const {
    return parallelism_of(logical(), spec(index));
  }
  std::uint32_t max_parallelism(OperatorIndex index) const {
    return spec(index).max_parallelism.value_or(result_.max_parallelism);
  }

  std::uint32_t max_parallelism() const {
    if (logical().max_parallelism != 0) return logical().max_parallelism;
    std::uint32_t largest = 1;
    for (const OperatorSpec& spec : logical().operators) {
      largest = std::max(largest, parallelism_of(logical(), spec));
    }
    return default_max_parallelism(largest);
  }

  // An operator that does not say joins the group that all of its inputs are in.
  void resolve_groups(const std::vector<OperatorIndex>& order) {
    groups_.resize(order.size());
    for (const OperatorIndex index : order) {
      groups_[index.value()] = spec(index).slot_sharing_group.empty()
                                   ? inherited_group(index)
                                   : spec(index).slot_sharing_group;
    }
  }

  std::string inherited_group(OperatorIndex index) const {
    std::optional<std::string> group;
    for (const EdgeIndex edge : graph_.incoming(index)) {
      const std::string& input = groups_[graph_.from(edge).value()];
      if (group.value_or(input) != input) return std::string(kDefaultSlotSharingGroup);
      group = input;
    }
    return group.value_or(std::string(kDefaultSlotSharingGroup));
  }

  void resolve_exchanges() {
    for (const auto edge : indices<EdgeIndex>(logical().edges.size())) {
      const bool equal = parallelism(graph_.from(edge)) == parallelism(graph_.to(edge));
      const Exchange wanted = logical().at(edge).exchange;
      exchanges_.push_back(wanted == Exchange::kForward && !equal ? Exchange::kRebalance : wanted);
    }
  }

  bool is_chained(EdgeIndex edge) const {
    const OperatorIndex from = graph_.from(edge);
    const OperatorIndex to = graph_.to(edge);
    return logical().chaining && exchanges_[edge.value()] == Exchange::kForward &&
           !logical().at(edge).read_first && graph_.incoming(to).size() == 1 &&
           spec(from).chaining != Chaining::kNever && spec(to).chaining == Chaining::kAlways &&
           spec(from).blocking == spec(to).blocking &&
           max_parallelism(from) == max_parallelism(to) &&
           groups_[from.value()] == groups_[to.value()];
  }

  bool is_head(OperatorIndex index) const {
    return std::ranges::none_of(graph_.incoming(index),
                                [&](EdgeIndex edge) { return is_chained(edge); });
  }

  void add_task(OperatorIndex head) {
    TaskSpec task{.id = TaskId(static_cast<std::uint32_t>(result_.tasks.size())),
                  .parallelism = parallelism(head),
                  .max_parallelism = max_parallelism(head),
                  .slot_sharing_group = groups_[head.value()],
                  .blocking = spec(head).blocking};
    add_chain(task, head);
    result_.tasks.push_back(std::move(task));
  }

  // What comes next in a depth-first walk: text for the task's name, then the edge to follow.
  struct Step {
    std::string_view text;
    std::optional<EdgeIndex> edge;
  };

  // Not recursive, for a chain may be as long as the job.
  void add_chain(TaskSpec& task, OperatorIndex head) {
    std::vector<Step> steps;
    add_operator(task, head, steps);
    while (!steps.empty()) {
      const Step step = steps.back();
      steps.pop_back();
      task.name += step.text;
      if (!step.edge) continue;
      task.chained.push_back(*step.edge);
      add_operator(task, graph_.to(*step.edge), steps);
    }
  }

  void add_operator(TaskSpec& task, OperatorIndex index, std::vector<Step>& steps) {
    task_of_[index.value()] = task.id;
    task.operators.push_back(index);
    task.name += spec(index).name;
    const std::vector<EdgeIndex> chained = chained_from(index);
    const bool several = chained.size() > 1;
    if (several) steps.push_back({")", std::nullopt});
    for (std::size_t i = chained.size(); i > 0; --i) {
      steps.push_back({i > 1 ? ", " : several ? " -> (" : " -> ", chained[i - 1]});
    }
  }

  std::vector<EdgeIndex> chained_from(OperatorIndex index) const {
    std::vector<EdgeIndex> chained;
    std::ranges::copy_if(graph_.outgoing(index), std::back_inserter(chained),
                         [&](EdgeIndex edge) { return is_chained(edge); });
    return chained;
  }

  void add_edges() {
    for (const auto edge : indices<EdgeIndex>(logical().edges.size())) {
      if (is_chained(edge)) continue;
      result_.edges.push_back({.edge = edge,
                               .from = task_of_[graph_.from(edge).value()],
                               .to = task_of_[graph_.to(edge).value()],
                               .exchange = exchanges_[edge.value()]});
    }
  }

  PlanGraph graph_;
  ExecutionPlan result_;
  std::vector<std::string> groups_;
  std::vector<Exchange> exchanges_;
  std::vector<TaskId> task_of_;
};

}  // namespace

Result<ExecutionPlan> make_execution_plan(const LogicalPlan& plan) {
  if (Status status = validate(plan); !status) return status.error();
  ExecutionPlan result = Planner(plan).plan();
  if (Status status = check_channels(result); !status) return status.error();
  return result;
}

std::uint32_t slots_required(const ExecutionPlan& plan) {
  std::map<std::string_view, std::uint32_t> of_group;
  for (const TaskSpec& task : plan.tasks) {
    std::uint32_t& slots = of_group[task.slot_sharing_group];
    slots = std::max(slots, task.parallelism);
  }
  std::uint32_t total = 0;
  for (const auto& [group, slots] : of_group) total += slots;
  return total;
}

}  // namespace millrace::detail
