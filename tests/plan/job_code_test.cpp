#include "millrace/plan/job_code.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "millrace/plan/fingerprint.h"
#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

// Tells by its partitioner which edge it is of.
JobCode code_of(const LogicalPlan& plan, std::vector<std::size_t>& called) {
  JobCode code;
  for (std::size_t i = 0; i < plan.edges.size(); ++i) {
    code.edges.emplace_back([i, &called](const PartitionerPlace&) {
      called.push_back(i);
      return nullptr;
    });
  }
  return code;
}

TEST(CodeFor, FindsTheEdgesOfAPlanInAnotherOrder) {
  const LogicalPlan plan = *fraud().build();
  LogicalPlan wanted = plan;
  std::ranges::reverse(wanted.edges);
  std::ranges::reverse(wanted.operators);
  const auto last = static_cast<std::uint32_t>(plan.operators.size() - 1);
  for (EdgeSpec& edge : wanted.edges) {
    edge.from = OperatorIndex(last - edge.from.value());
    edge.to = OperatorIndex(last - edge.to.value());
  }
  ASSERT_FALSE(first_difference(wanted, plan));
  std::vector<std::size_t> called;
  const JobCode code = code_for(wanted, plan, code_of(plan, called));
  ASSERT_EQ(code.edges.size(), plan.edges.size());
  for (const PartitionerFactory& factory : code.edges) (void)factory({});
  std::ranges::reverse(called);
  for (std::size_t i = 0; i < called.size(); ++i) EXPECT_EQ(called[i], i);
}

}  // namespace
}  // namespace millrace::detail
