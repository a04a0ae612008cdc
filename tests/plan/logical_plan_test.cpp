#include "millrace/plan/logical_plan.h"

#include <gtest/gtest.h>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

// Savepoints hold these numbers: they must not change.
TEST(OperatorId, IsAFixedHashOfTheName) {
  EXPECT_EQ(to_hex(operator_id("").value()), "2d06800538d394c2");
  EXPECT_EQ(to_hex(operator_id("count").value()), "810a33751161c4f1");
  EXPECT_NE(operator_id("count"), operator_id("Count"));
}

TEST(LogicalPlan, GivesAnOperatorItsOwnParallelismOrThatOfThePlan) {
  const LogicalPlan plan{.parallelism = 4};
  EXPECT_EQ(parallelism_of(plan, {}), 4);
  EXPECT_EQ(parallelism_of(plan, {.parallelism = 2}), 2);
  EXPECT_EQ(parallelism_of(plan, {.single = true}), 1);
}

TEST(Mode, IsBatchIfEverySourceIsBounded) {
  LogicalPlan plan = *line({"map"}).build();
  EXPECT_EQ(resolve_mode(plan), Mode::kStreaming);
  plan.operators.front().bounded = true;
  EXPECT_EQ(resolve_mode(plan), Mode::kBatch);
  plan.mode = Mode::kStreaming;
  EXPECT_EQ(resolve_mode(plan), Mode::kStreaming);
}

TEST(LogicalPlan, PrintsItsEnumeratorsAsWords) {
  EXPECT_EQ(to_string(Mode::kAutomatic), "automatic");
  EXPECT_EQ(to_string(Exchange::kKeyed), "keyed");
}

}  // namespace
}  // namespace millrace::detail
