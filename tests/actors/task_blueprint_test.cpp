#include "millrace/actors/task_blueprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<TaskBlueprint> blueprints_of(const PlanBuilder& builder) {
  Result<ExecutionPlan> plan = make_execution_plan(*builder.build());
  EXPECT_TRUE(plan) << plan.error().message();
  return make_blueprints(std::make_shared<const DeployedJob>(DeployedJob{*std::move(plan), {}}));
}

PeerAddress receiver(std::uint32_t subtask, std::uint32_t input) {
  return {.subtask = SubtaskId(subtask), .channel = input};
}
PeerAddress sender(std::uint32_t subtask, std::uint32_t exchange, std::uint32_t channel) {
  return {.subtask = SubtaskId(subtask), .exchange = exchange, .channel = channel};
}

TEST(Wiring, JoinsTheNumbersOfBothEndsOfEachChannel) {
  PlanBuilder builder("job");
  builder.set_parallelism(2);
  const auto source = builder.add_operator(source_spec());
  const auto sink = builder.add_operator(sink_spec());
  builder.connect({.from = source, .to = sink, .exchange = Exchange::kRebalance});
  const std::vector<TaskWiring> wirings = wire_up(blueprints_of(builder));
  ASSERT_EQ(wirings.size(), 4U);
  EXPECT_THAT(wirings[0].receivers, ElementsAre(ElementsAre(receiver(2, 0), receiver(3, 0))));
  EXPECT_THAT(wirings[1].receivers, ElementsAre(ElementsAre(receiver(2, 1), receiver(3, 1))));
  EXPECT_THAT(wirings[0].senders, IsEmpty());
  EXPECT_THAT(wirings[2].senders, ElementsAre(sender(0, 0, 0), sender(1, 0, 0)));
  EXPECT_THAT(wirings[3].senders, ElementsAre(sender(0, 0, 1), sender(1, 0, 1)));
  EXPECT_THAT(wirings[2].receivers, IsEmpty());
}

TEST(Wiring, NumbersTheExchangesOfATaskByItself) {
  PlanBuilder builder("job");
  const auto source = builder.add_operator(source_spec());
  const auto first = builder.add_operator(sink_spec());
  const auto second = builder.add_operator(sink_spec());
  builder.connect({.from = source, .to = first, .exchange = Exchange::kRebalance});
  builder.connect({.from = source, .to = second, .exchange = Exchange::kRebalance});
  const std::vector<TaskWiring> wirings = wire_up(blueprints_of(builder));
  ASSERT_EQ(wirings.size(), 3U);
  EXPECT_THAT(wirings[0].receivers,
              ElementsAre(ElementsAre(receiver(1, 0)), ElementsAre(receiver(2, 0))));
  EXPECT_THAT(wirings[1].senders, ElementsAre(sender(0, 0, 0)));
  EXPECT_THAT(wirings[2].senders, ElementsAre(sender(0, 1, 0)));
}

}  // namespace
}  // namespace millrace::detail
