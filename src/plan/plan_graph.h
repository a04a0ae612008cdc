// The edges of a logical plan by their ends: a lookup, built once and read often. Borrows the plan,
// whose edges must all join operators of the plan.
#pragma once

#include <span>
#include <vector>

#include "millrace/plan/logical_plan.h"

namespace millrace::detail {

class PlanGraph {
 public:
  explicit PlanGraph(const LogicalPlan& plan);

  OperatorIndex from(EdgeIndex edge) const { return plan_->at(edge).from; }
  OperatorIndex to(EdgeIndex edge) const { return plan_->at(edge).to; }

  // In the order of the plan.
  std::span<const EdgeIndex> outgoing(OperatorIndex index) const { return out_[index.value()]; }
  std::span<const EdgeIndex> incoming(OperatorIndex index) const { return in_[index.value()]; }

  // Producers before consumers, those without inputs first; misses what lies on or behind a cycle.
  std::vector<OperatorIndex> topological_order() const;

  // The operators of one cycle in the direction of flow, the one that was added first in front;
  // empty if there is none.
  std::vector<OperatorIndex> cycle() const;

 private:
  const LogicalPlan* plan_;
  std::vector<std::vector<EdgeIndex>> out_;
  std::vector<std::vector<EdgeIndex>> in_;
};

// The positions of a vector of `size` elements as strong indices.
template <class Index>
std::vector<Index> indices(std::size_t size) {
  std::vector<Index> all;
  all.reserve(size);
  for (std::uint32_t i = 0; i < size; ++i) all.push_back(Index(i));
  return all;
}

}  // namespace millrace::detail
