#include "millrace/plan/plan_builder.h"

#include <gtest/gtest.h>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

TEST(PlanBuilder, NamesUnnamedOperatorsByKindAndOrdinal) {
  const LogicalPlan plan = *line({"map", "filter", "map"}).build();
  EXPECT_EQ(plan.operators[1].name, "map-1");
  EXPECT_EQ(plan.operators[2].name, "filter-1");
  EXPECT_EQ(plan.operators[3].name, "map-2");
  EXPECT_FALSE(plan.operators[3].named);
  EXPECT_EQ(plan.operators[3].id, operator_id("map-2"));
}

TEST(PlanBuilder, KeepsTheAutomaticNamesOfOthersWhenOneIsNamed) {
  PlanBuilder builder = line({"map", "map"});
  builder.rename(OperatorIndex(1), "first");
  EXPECT_EQ(builder.build()->operators[2].name, "map-2");
}

TEST(PlanBuilder, TakesTheIdOfANameThatIsGivenLater) {
  PlanBuilder builder = line({"map"});
  builder.rename(OperatorIndex(1), "cleaned");
  const LogicalPlan plan = *builder.build();
  EXPECT_EQ(plan.operators[1].id, operator_id("cleaned"));
  EXPECT_TRUE(plan.operators[1].named);
}

TEST(PlanBuilder, CarriesTheSettingsOfTheJob) {
  PlanBuilder builder = line({});
  builder.set_mode(Mode::kStreaming);
  builder.set_parallelism(3);
  builder.set_max_parallelism(64);
  builder.set_chaining(false);
  const LogicalPlan plan = *builder.build();
  EXPECT_EQ(plan.job, "line");
  EXPECT_EQ(plan.mode, Mode::kStreaming);
  EXPECT_EQ(plan.parallelism, 3);
  EXPECT_EQ(plan.max_parallelism, 64);
  EXPECT_FALSE(plan.chaining);
}

TEST(PlanBuilder, RefusesAPlanThatDoesNotValidate) {
  PlanBuilder builder("empty");
  EXPECT_EQ(builder.build().error().code(), ErrorCode::kInvalidArgument);
}

TEST(PlanBuilder, CanGoOnAfterBuilding) {
  PlanBuilder builder = line({});
  ASSERT_TRUE(builder.build());
  const OperatorIndex sink = builder.add_operator(sink_spec());
  builder.connect({.from = OperatorIndex(0), .to = sink});
  EXPECT_EQ(builder.build()->edges.size(), 2);
}

}  // namespace
}  // namespace millrace::detail
