#include "millrace/plan/execution_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;

ExecutionPlan plan_of(const PlanBuilder& builder) {
  const Result<ExecutionPlan> plan = make_execution_plan(*builder.build());
  EXPECT_TRUE(plan) << plan.error().message();
  EXPECT_TRUE(validate(*plan));
  return *plan;
}

std::vector<std::string> task_names(const ExecutionPlan& plan) {
  std::vector<std::string> names;
  for (const TaskSpec& task : plan.tasks) names.push_back(task.name);
  return names;
}

std::vector<std::string> task_names(const PlanBuilder& builder) {
  return task_names(plan_of(builder));
}

constexpr OperatorIndex kMap(1);

TEST(Chaining, JoinsForwardEdgesIntoOneTask) {
  EXPECT_THAT(task_names(line({"map", "filter"})),
              ElementsAre("source-1 -> map-1 -> filter-1 -> sink-1"));
}

TEST(Chaining, MakesATreeOfSeveralConsumersAndSideOutputs) {
  PlanBuilder builder = line({"map", "filter"});
  const auto late = add_output(builder, kMap, {"late", "Payment"});
  builder.connect({.from = kMap, .output = late, .to = builder.add_operator(sink_spec())});
  const ExecutionPlan plan = plan_of(builder);
  EXPECT_THAT(task_names(plan), ElementsAre("source-1 -> map-1 -> (filter-1 -> sink-1, sink-2)"));
  EXPECT_THAT(plan.tasks[0].operators,
              ElementsAre(OperatorIndex(0), OperatorIndex(1), OperatorIndex(2), OperatorIndex(3),
                          OperatorIndex(4)));
  EXPECT_THAT(plan.tasks[0].chained,
              ElementsAre(EdgeIndex(0), EdgeIndex(1), EdgeIndex(2), EdgeIndex(3)));
}

TEST(Chaining, EndsAtEveryOtherExchange) {
  for (const Exchange exchange :
       {Exchange::kRebalance, Exchange::kRescale, Exchange::kRandom, Exchange::kBroadcast,
        Exchange::kGlobal, Exchange::kKeyed, Exchange::kCustom}) {
    PlanBuilder builder("job");
    const auto source = builder.add_operator(source_spec());
    const auto sink = builder.add_operator(sink_spec());
    builder.connect({.from = source, .to = sink, .exchange = exchange});
    EXPECT_THAT(task_names(builder), ElementsAre("source-1", "sink-1")) << to_string(exchange);
  }
}

TEST(Chaining, EndsWhereTheParallelismChangesAndRebalances) {
  PlanBuilder builder = line({"map"});
  builder.at(kMap).parallelism = 2;
  const ExecutionPlan plan = plan_of(builder);
  EXPECT_THAT(task_names(plan), ElementsAre("source-1", "map-1", "sink-1"));
  EXPECT_EQ(plan.edges[0].exchange, Exchange::kRebalance);
  EXPECT_EQ(plan.tasks[1].parallelism, 2);
}

TEST(Chaining, EndsWhereTheNumberOfKeyGroupsChanges) {
  PlanBuilder builder = line({"map"});
  builder.at(kMap).max_parallelism = 64;
  const ExecutionPlan plan = plan_of(builder);
  EXPECT_THAT(task_names(plan), ElementsAre("source-1", "map-1", "sink-1"));
  EXPECT_EQ(plan.edges[0].exchange, Exchange::kForward);
  EXPECT_EQ(plan.tasks[1].max_parallelism, 64);
  EXPECT_EQ(plan.tasks[2].max_parallelism, 128);
}

TEST(Chaining, NeverTakesInAnOperatorWithTwoInputEdges) {
  PlanBuilder builder = line({"map"});
  const auto other = builder.add_operator(source_spec());
  builder.connect({.from = other, .to = kMap});
  EXPECT_THAT(task_names(builder), ElementsAre("source-1", "source-2", "map-1 -> sink-1"));
}

TEST(Chaining, NeverTakesInAnInputThatIsReadFirst) {
  PlanBuilder builder("job");
  const auto source = builder.add_operator(source_spec());
  const auto sink = builder.add_operator(sink_spec());
  builder.at(source).bounded = true;
  builder.connect({.from = source, .to = sink, .read_first = true});
  EXPECT_THAT(task_names(builder), ElementsAre("source-1", "sink-1"));
}

TEST(Chaining, BeginsAnewAtAHeadThatOthersMayJoin) {
  PlanBuilder builder = line({"map"});
  builder.at(kMap).chaining = Chaining::kHead;
  EXPECT_THAT(task_names(builder), ElementsAre("source-1", "map-1 -> sink-1"));
}

TEST(Chaining, LeavesAnOperatorAloneThatNeverChains) {
  PlanBuilder builder = line({"map"});
  builder.at(kMap).chaining = Chaining::kNever;
  EXPECT_THAT(task_names(builder), ElementsAre("source-1", "map-1", "sink-1"));
}

TEST(Chaining, CanBeTurnedOffForTheJob) {
  PlanBuilder builder = line({"map"});
  builder.set_chaining(false);
  EXPECT_THAT(task_names(builder), ElementsAre("source-1", "map-1", "sink-1"));
}

TEST(Chaining, KeepsBlockingOperatorsTogetherAndApart) {
  PlanBuilder builder = line({"map", "filter"});
  builder.at(kMap).blocking = true;
  builder.at(OperatorIndex(2)).blocking = true;
  const ExecutionPlan plan = plan_of(builder);
  EXPECT_THAT(task_names(plan), ElementsAre("source-1", "map-1 -> filter-1", "sink-1"));
  EXPECT_TRUE(plan.tasks[1].blocking);
  EXPECT_FALSE(plan.tasks[2].blocking);
}

TEST(SlotSharing, IsInheritedFromTheInputs) {
  PlanBuilder builder = line({"map"});
  builder.at(OperatorIndex(0)).slot_sharing_group = "heavy";
  const ExecutionPlan plan = plan_of(builder);
  EXPECT_THAT(task_names(plan), ElementsAre("source-1 -> map-1 -> sink-1"));
  EXPECT_EQ(plan.tasks[0].slot_sharing_group, "heavy");
}

TEST(SlotSharing, EndsAChainAndFallsBackToTheDefaultWhereInputsDisagree) {
  PlanBuilder builder = line({"map"});
  const auto other = builder.add_operator(source_spec());
  builder.at(other).slot_sharing_group = "heavy";
  builder.connect({.from = other, .to = kMap});
  const ExecutionPlan plan = plan_of(builder);
  EXPECT_EQ(plan.tasks[0].slot_sharing_group, "default");
  EXPECT_EQ(plan.tasks[1].slot_sharing_group, "heavy");
  EXPECT_EQ(plan.tasks[2].slot_sharing_group, "default");
}

TEST(SlotSharing, NeedsTheLargestTaskOfEachGroup) {
  PlanBuilder builder = line({"map"});
  builder.set_parallelism(2);
  builder.at(kMap).parallelism = 5;
  EXPECT_EQ(slots_required(plan_of(builder)), 5);
  builder.at(kMap).slot_sharing_group = "heavy";
  EXPECT_EQ(slots_required(plan_of(builder)), 7);
}

TEST(ExecutionPlan, PutsSourcesFirstAndProducersBeforeConsumers) {
  PlanBuilder builder("job");
  const auto sink = builder.add_operator(sink_spec());
  const auto map = builder.add_operator(spec_of("map"));
  const auto first = builder.add_operator(source_spec());
  const auto second = builder.add_operator(source_spec());
  builder.connect({.from = map, .to = sink, .exchange = Exchange::kRebalance});
  builder.connect({.from = first, .to = map, .exchange = Exchange::kRebalance});
  builder.connect({.from = second, .to = sink, .exchange = Exchange::kRebalance});
  const ExecutionPlan plan = plan_of(builder);
  EXPECT_THAT(task_names(plan), ElementsAre("source-1", "source-2", "map-1", "sink-1"));
  EXPECT_EQ(plan.tasks[2].id, TaskId(2));
  EXPECT_THAT(plan.edges,
              ElementsAre(TaskEdge{EdgeIndex(0), TaskId(2), TaskId(3), Exchange::kRebalance},
                          TaskEdge{EdgeIndex(1), TaskId(0), TaskId(2), Exchange::kRebalance},
                          TaskEdge{EdgeIndex(2), TaskId(1), TaskId(3), Exchange::kRebalance}));
}

TEST(ExecutionPlan, CutsTheSampleAtTheKeyAndAtTheSingleSink) {
  const ExecutionPlan plan = plan_of(fraud());
  EXPECT_THAT(task_names(plan),
              ElementsAre("payments -> map-1", "probe-detector -> alerts", "sink-2"));
  EXPECT_EQ(plan.mode, Mode::kBatch);
  EXPECT_EQ(plan.tasks[2].parallelism, 1);
  EXPECT_EQ(plan.edges[1].exchange, Exchange::kRebalance);
}

TEST(ExecutionPlan, CountsTwoEdgesBetweenTheSameOperatorsTwice) {
  PlanBuilder builder = line({});
  builder.connect({.from = OperatorIndex(0), .to = OperatorIndex(1)});
  const ExecutionPlan plan = plan_of(builder);
  EXPECT_THAT(task_names(plan), ElementsAre("source-1", "sink-1"));
  EXPECT_EQ(plan.edges.size(), 2);
}

TEST(ExecutionPlan, RefusesWhatDoesNotValidate) {
  EXPECT_EQ(make_execution_plan({}).error().code(), ErrorCode::kInvalidArgument);
}

TEST(ExecutionPlan, RefusesMoreChannelsThanItCanNumber) {
  PlanBuilder builder("job");
  builder.set_parallelism(5'000);
  const auto source = builder.add_operator(source_spec());
  const auto sink = builder.add_operator(sink_spec());
  builder.connect({.from = source, .to = sink, .exchange = Exchange::kKeyed});
  EXPECT_EQ(make_execution_plan(*builder.build()).error().message(),
            "the job needs 25000000 channels between its subtasks, more than "
            "16777216: lower its "
            "parallelism");
}

TEST(ExecutionPlan, HandlesAChainThatIsAsLongAsAJobMayBe) {
  PlanBuilder builder("long");
  OperatorIndex last = builder.add_operator(source_spec());
  while (last.value() + 2 < kMaxOperators) {
    const OperatorIndex next = builder.add_operator(spec_of("map"));
    builder.connect({.from = last, .to = next});
    last = next;
  }
  builder.connect({.from = last, .to = builder.add_operator(sink_spec())});
  EXPECT_EQ(plan_of(builder).tasks.size(), 1);
}

TEST(MaxParallelism, IsChosenOnceForTheJobUnlessItIsSet) {
  PlanBuilder builder = line({"map"});
  builder.at(kMap).parallelism = 100;
  EXPECT_EQ(plan_of(builder).max_parallelism, 256);
  EXPECT_EQ(plan_of(builder).tasks[0].max_parallelism, 256);
  builder.set_max_parallelism(100);
  EXPECT_EQ(plan_of(builder).max_parallelism, 100);
}

TEST(MaxParallelism, IsDividedAmongTheSubtasksOfATask) {
  const KeyGroupLayout groups = plan_of(fraud()).tasks[1].key_groups();
  EXPECT_EQ(groups.range_of(SubtaskIndex(1)), (KeyGroupRange{KeyGroup(32), KeyGroup(63)}));
}

// Each damage to a plan that came over the wire has to be found before anyone
// follows it.
class Damaged : public testing::Test {
 protected:
  Damaged() : plan_(*make_execution_plan(*fraud().build())) {}

  void expect_refused(const std::string& why) {
    const Status status = validate(plan_);
    ASSERT_FALSE(status) << "expected: " << why;
    EXPECT_EQ(status.error().message(), "the execution plan does not fit together: " + why);
  }

  ExecutionPlan plan_;
};

TEST_F(Damaged, ModeIsRefused) {
  plan_.mode = Mode::kAutomatic;
  expect_refused("its mode is not resolved");
}

TEST_F(Damaged, KeyGroupsAreRefused) {
  plan_.max_parallelism = 0;
  expect_refused("it has 0 key groups");
}

TEST_F(Damaged, TaskIdIsRefused) {
  plan_.tasks[1].id = TaskId(7);
  expect_refused("task 7 is not at the position of its id");
}

TEST_F(Damaged, ParallelismIsRefused) {
  plan_.tasks[0].parallelism = 0;
  expect_refused("task 'payments -> map-1' has 0 subtasks and 128 key groups");
}

TEST_F(Damaged, ParallelismOfASingleOperatorIsRefused) {
  plan_.tasks[2].parallelism = 2;
  expect_refused("operator 'sink-2' can only have one subtask");
}

TEST_F(Damaged, UnknownOperatorIsRefused) {
  plan_.tasks[0].operators[1] = OperatorIndex(5);
  expect_refused("task 'payments -> map-1' has an unknown operator");
}

TEST_F(Damaged, OperatorInTwoPlacesIsRefused) {
  plan_.tasks[2].operators.push_back(OperatorIndex(1));
  expect_refused("operator 'map-1' is in two places");
}

TEST_F(Damaged, EmptyTaskIsRefused) {
  plan_.tasks[2].operators.clear();
  expect_refused("'sink-2' has no operator");
}

TEST_F(Damaged, MissingTaskIsRefused) {
  plan_.tasks.pop_back();
  plan_.edges.pop_back();
  expect_refused("an operator is in no task");
}

TEST_F(Damaged, ChainOfAnotherTaskIsRefused) {
  std::swap(plan_.tasks[0].chained, plan_.tasks[1].chained);
  expect_refused("edge 2 cannot be inside task 'payments -> map-1'");
}

TEST_F(Damaged, LooseOperatorIsRefused) {
  plan_.tasks[0].chained.clear();
  expect_refused("an operator of task 'payments -> map-1' hangs on none");
}

TEST_F(Damaged, EdgePositionIsRefused) {
  plan_.tasks[0].chained[0] = EdgeIndex(99);
  expect_refused("edge 99 is unknown or used twice");
}

TEST_F(Damaged, EndOfAnEdgeIsRefused) {
  plan_.edges[0].to = TaskId(2);
  expect_refused("edge 1 does not join its two tasks");
  plan_.edges[0].to = TaskId(99);
  expect_refused("edge 1 does not join its two tasks");
}

TEST_F(Damaged, ExchangeIsRefused) {
  plan_.edges[0].exchange = Exchange::kRebalance;
  expect_refused("edge 1 cannot be a rebalance");
}

TEST_F(Damaged, ForwardBetweenDifferentParallelismsIsRefused) {
  plan_.edges[1].exchange = Exchange::kForward;
  expect_refused("edge 3 cannot be a forward");
}

TEST_F(Damaged, MissingEdgeIsRefused) {
  plan_.edges.pop_back();
  expect_refused("an edge is in no task and between none");
}

}  // namespace
}  // namespace millrace::detail
