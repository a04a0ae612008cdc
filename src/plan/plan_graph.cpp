#include "millrace/plan/plan_graph.h"

#include <algorithm>

namespace millrace::detail {

PlanGraph::PlanGraph(const LogicalPlan& plan)
    : plan_(&plan), out_(plan.operators.size()), in_(plan.operators.size()) {
  for (const auto edge : indices<EdgeIndex>(plan.edges.size())) {
    out_[from(edge).value()].push_back(edge);
    in_[to(edge).value()].push_back(edge);
  }
}

std::vector<OperatorIndex> PlanGraph::topological_order() const {
  std::vector<std::size_t> missing;  // inputs not yet in the order
  for (const auto& edges : in_) missing.push_back(edges.size());
  std::vector<OperatorIndex> order;
  for (const auto index : indices<OperatorIndex>(missing.size())) {
    if (missing[index.value()] == 0) order.push_back(index);
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const EdgeIndex edge : outgoing(order[next])) {
      if (--missing[to(edge).value()] == 0) order.push_back(to(edge));
    }
  }
  return order;
}

// What the order misses has a producer that it misses too, so walking upstream ends in a cycle.
std::vector<OperatorIndex> PlanGraph::cycle() const {
  std::vector<bool> missed(in_.size(), true);
  for (const OperatorIndex index : topological_order()) missed[index.value()] = false;
  const auto start = std::ranges::find(missed, true);
  if (start == missed.end()) return {};

  std::vector<OperatorIndex> walk{
      OperatorIndex(static_cast<std::uint32_t>(start - missed.begin()))};
  std::vector<bool> seen(in_.size(), false);
  while (!seen[walk.back().value()]) {
    seen[walk.back().value()] = true;
    const auto upstream = std::ranges::find_if(
        incoming(walk.back()), [&](EdgeIndex edge) { return missed[from(edge).value()]; });
    walk.push_back(from(*upstream));
  }
  walk.erase(walk.begin(), std::ranges::find(walk, walk.back()));
  walk.pop_back();
  std::ranges::reverse(walk);
  std::ranges::rotate(walk, std::ranges::min_element(walk));
  return walk;
}

}  // namespace millrace::detail
