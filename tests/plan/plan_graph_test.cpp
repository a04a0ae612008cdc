#include "millrace/plan/plan_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LogicalPlan plan_of(std::uint32_t operators,
                    std::initializer_list<std::pair<std::uint32_t, std::uint32_t>> edges) {
  LogicalPlan plan;
  plan.operators.resize(operators);
  for (const auto& [from, to] : edges) {
    plan.edges.push_back({.from = OperatorIndex(from), .to = OperatorIndex(to)});
  }
  return plan;
}

OperatorIndex at(std::uint32_t index) { return OperatorIndex(index); }

TEST(PlanGraph, KnowsTheEdgesAtBothEnds) {
  const LogicalPlan plan = plan_of(3, {{0, 2}, {1, 2}, {0, 1}});
  const PlanGraph graph(plan);
  EXPECT_THAT(graph.outgoing(at(0)), ElementsAre(EdgeIndex(0), EdgeIndex(2)));
  EXPECT_THAT(graph.incoming(at(2)), ElementsAre(EdgeIndex(0), EdgeIndex(1)));
  EXPECT_THAT(graph.incoming(at(0)), IsEmpty());
}

TEST(PlanGraph, OrdersProducersBeforeConsumersAndSourcesFirst) {
  const LogicalPlan plan = plan_of(5, {{4, 1}, {1, 0}, {3, 0}, {0, 2}});
  EXPECT_THAT(PlanGraph(plan).topological_order(), ElementsAre(at(3), at(4), at(1), at(0), at(2)));
}

TEST(PlanGraph, NamesOneCycleInTheDirectionOfFlow) {
  const LogicalPlan plan = plan_of(6, {{0, 1}, {1, 3}, {3, 2}, {2, 1}, {2, 4}, {4, 5}});
  EXPECT_THAT(PlanGraph(plan).cycle(), ElementsAre(at(1), at(3), at(2)));
}

TEST(PlanGraph, SeesAnOperatorThatReadsItself) {
  const LogicalPlan plan = plan_of(2, {{0, 1}, {1, 1}});
  EXPECT_THAT(PlanGraph(plan).cycle(), ElementsAre(at(1)));
}

TEST(PlanGraph, FindsNoCycleWhereTwoPathsMeet) {
  const LogicalPlan plan = plan_of(4, {{0, 1}, {0, 2}, {1, 3}, {2, 3}});
  EXPECT_THAT(PlanGraph(plan).cycle(), IsEmpty());
}

}  // namespace
}  // namespace millrace::detail
