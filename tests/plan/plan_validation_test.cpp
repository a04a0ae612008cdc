#include "millrace/plan/plan_validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What is wrong with the plan, or "" if nothing is.
std::string refusal(const LogicalPlan& plan) {
  const Status status = validate(plan);
  if (status) return "";
  EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
  return status.error().message();
}

LogicalPlan simple() { return *line({"map"}).build(); }

TEST(Validation, AcceptsAPlanThatMakesSense) {
  EXPECT_EQ(refusal(simple()), "");
  EXPECT_EQ(refusal(*fraud().build()), "");
}

TEST(Validation, RefusesTwoOperatorsOfOneNameAndSaysTheirKinds) {
  PlanBuilder builder = line({"map", "sum"});
  builder.rename(OperatorIndex(1), "count");
  builder.rename(OperatorIndex(2), "count");
  EXPECT_EQ(builder.build().error().message(),
            "two operators are named 'count', a map and a sum: state is found "
            "by name, so names "
            "must differ; give one of them another with .named(\"...\")");
}

TEST(Validation, RefusesTwoNamesOfOneId) {
  LogicalPlan plan = simple();
  plan.operators[1].id = plan.operators[2].id;
  EXPECT_EQ(refusal(plan),
            "the names of operator 'map-1' (map) and operator "
            "'sink-1' (sink) have the same id: "
            "give one of them another name");
}

TEST(Validation, RefusesNamesThatAreEmptyOrNotText) {
  LogicalPlan plan = simple();
  plan.operators[1].name = "";
  EXPECT_EQ(refusal(plan),
            "an operator of kind 'map' has an empty name: "
            "expected some text in .named(\"...\")");
  plan.operators[1].name = "two\nlines";
  EXPECT_EQ(refusal(plan),
            "the name of operator 'two\\nlines' (map) holds a "
            "control character: expected "
            "printable text in .named(\"...\")");
}

TEST(Validation, RefusesTwoOutputsOfOneTag) {
  LogicalPlan plan = simple();
  plan.operators[1].outputs = {{"", "A"}, {"late", "A"}, {"late", "B"}};
  EXPECT_EQ(refusal(plan),
            "operator 'map-1' (map) has two outputs with the "
            "tag 'late': give one of them another "
            "tag");
}

TEST(Validation, RefusesAnEdgeToNowhere) {
  LogicalPlan plan = simple();
  plan.edges[0].from = OperatorIndex(3);
  EXPECT_EQ(refusal(plan),
            "an edge leads from operator 3, but the plan has 3 operators, counted from 0");
  plan = simple();
  plan.edges[0].to = OperatorIndex(4'000'000'000);
  EXPECT_EQ(refusal(plan),
            "an edge leads to operator 4000000000, but the plan has 3 operators, counted from 0");
  plan = simple();
  plan.edges[1].output = 1;
  EXPECT_EQ(refusal(plan),
            "operator 'sink-1' (sink) reads output 1 of "
            "operator 'map-1' (map), which has 1 "
            "outputs, counted from 0");
  plan = simple();
  plan.edges[1].input = 1;
  EXPECT_EQ(refusal(plan),
            "operator 'map-1' (map) leads to input 1 of "
            "operator 'sink-1' (sink), which has 1 "
            "inputs, counted from 0");
}

TEST(Validation, RefusesAJobWithoutASource) {
  EXPECT_EQ(refusal({}), "the job has no source: begin a stream with job.from(...)");
}

TEST(Validation, RefusesAJobWithoutASink) {
  LogicalPlan plan = simple();
  plan.operators[2].sink = false;
  EXPECT_EQ(refusal(plan), "the job has no sink: end a stream with .to(...)");
}

TEST(Validation, RefusesAnInputThatNothingLeadsTo) {
  LogicalPlan plan = simple();
  plan.operators[1].inputs = 2;
  EXPECT_EQ(refusal(plan),
            "nothing leads to input 1 of operator 'map-1' "
            "(map): connect a stream to each of its "
            "2 inputs");
  plan.operators[1].inputs = 4'000'000'000;
  EXPECT_NE(refusal(plan), "");
}

TEST(Validation, RefusesASourceWithAnInputAndAnOperatorWithout) {
  LogicalPlan plan = simple();
  plan.operators[1].source = true;
  EXPECT_EQ(refusal(plan),
            "operator 'map-1' (map) is a source and has an "
            "input: expected one or the other");
  plan = simple();
  plan.operators[0].source = false;
  plan.operators.push_back(named("other", source_spec()));
  EXPECT_EQ(refusal(plan),
            "operator 'source-1' (source) has no input and is "
            "no source: apply it to a stream");
}

TEST(Validation, NamesTheOperatorsOnACycleInOrder) {
  LogicalPlan plan = *line({"map", "filter", "sum"}).build();
  plan.edges.push_back({.from = OperatorIndex(3), .to = OperatorIndex(1)});
  EXPECT_EQ(refusal(plan),
            "the job has a cycle, map-1 -> filter-1 -> sum-1 -> "
            "map-1: streams flow from sources "
            "to sinks; take out one of these connections");
}

TEST(Validation, RefusesParallelismOutOfRange) {
  LogicalPlan plan = simple();
  plan.parallelism = 0;
  EXPECT_EQ(refusal(plan), "the job's parallelism is 0: expected at least 1");
  plan = simple();
  plan.operators[1].parallelism = 0;
  EXPECT_EQ(refusal(plan),
            "the parallelism of operator 'map-1' (map) is 0: expected at least 1 in "
            ".parallelism(...)");
  plan.operators[1].parallelism = 40'000;
  EXPECT_NE(refusal(plan).find("is 40000, more than its maximum of 32768"), std::string::npos);
  plan.max_parallelism = 16;
  plan.operators[1].parallelism = 17;
  EXPECT_EQ(refusal(plan),
            "the parallelism of operator 'map-1' (map) is 17, more than its "
            "maximum of 16: lower "
            "it, or raise the maximum parallelism, which a job keeps for life");
  plan.operators[1].max_parallelism = 17;
  EXPECT_EQ(refusal(plan), "");
}

TEST(Validation, RefusesAMaximumParallelismOutOfRange) {
  LogicalPlan plan = simple();
  plan.max_parallelism = 32'769;
  EXPECT_EQ(refusal(plan),
            "the job's maximum parallelism is 32769: expected 1 "
            "to 32768, or 0 to choose it");
  plan = simple();
  plan.operators[1].max_parallelism = 32'769;
  EXPECT_EQ(refusal(plan),
            "the maximum parallelism of operator 'map-1' (map) "
            "is 32769: expected 1 to 32768");
}

TEST(Validation, RefusesSeveralSubtasksWhereOnlyOneCanBe) {
  LogicalPlan plan = simple();
  plan.operators[0].single = true;
  plan.operators[0].parallelism = 1;
  EXPECT_EQ(refusal(plan), "");
  plan.operators[0].parallelism = 2;
  EXPECT_EQ(refusal(plan),
            "operator 'source-1' (source) can only have one "
            "subtask, not 2: take out its "
            ".parallelism(...)");
}

TEST(Validation, RefusesAChosenForwardBetweenDifferentParallelisms) {
  LogicalPlan plan = simple();
  plan.operators[1].parallelism = 2;
  EXPECT_EQ(refusal(plan), "");
  plan.edges[0].chosen = true;
  EXPECT_EQ(refusal(plan),
            "forward needs the same parallelism at both ends, "
            "but operator 'source-1' (source) has "
            "1 and operator 'map-1' (map) has 2: make them "
            "equal, or use .rebalance() or "
            ".rescale()");
}

TEST(Validation, RefusesAUnionOfDifferentTypes) {
  PlanBuilder builder = line({"map"});
  const OperatorIndex other = builder.add_operator(source_spec("Order"));
  builder.connect({.from = other, .to = OperatorIndex(1)});
  EXPECT_EQ(builder.build().error().message(),
            "input 0 of operator 'map-1' (map) unites streams of different "
            "types, 'Payment' from "
            "operator 'source-1' (source) and 'Order' from operator 'source-2' "
            "(source): map one "
            "of them to the other's type first");
  builder.at(other).outputs[0].schema = "";
  EXPECT_TRUE(builder.build());
}

TEST(Validation, RefusesAKeyOfAnotherTypeThanThatOfTheState) {
  LogicalPlan plan = *fraud().build();
  plan.edges[1].key_schema = "int64";
  EXPECT_EQ(refusal(plan),
            "input 0 of operator 'probe-detector' (process) is keyed by int64, "
            "but its state is "
            "keyed by string: use a key of one type in .key_by(...)");
}

TEST(Validation, AcceptsAKeyedExchangeIntoWhatIsNotKeyed) {
  LogicalPlan plan = *fraud().build();
  plan.operators[2].key_schema = "";
  EXPECT_EQ(refusal(plan), "");
}

TEST(Validation, RefusesBatchModeWithASourceThatNeverEnds) {
  LogicalPlan plan = simple();
  plan.mode = Mode::kBatch;
  EXPECT_EQ(refusal(plan),
            "the job's mode is batch, but operator 'source-1' "
            "(source) never ends: bound it, or "
            "use the mode streaming");
}

TEST(Validation, RefusesMoreOperatorsThanAJobMayHave) {
  LogicalPlan plan;
  plan.operators.resize(kMaxOperators + 1);
  EXPECT_EQ(refusal(plan),
            "the job has 4097 operators and 0 edges, one job "
            "may have 4096 and 65536: split it "
            "into several jobs");
}

TEST(Warnings, NameStateThatCouldNotBeFoundAgain) {
  PlanBuilder builder = line({"sum"});
  builder.at(OperatorIndex(1)).stateful = true;
  EXPECT_THAT(warnings(*builder.build()),
              ElementsAre("operator 'sum-1' keeps state but has no name: after a "
                          "change of the job "
                          "its state could not be found again; add .named(\"...\")"));
  builder.rename(OperatorIndex(1), "count");
  EXPECT_THAT(warnings(*builder.build()), IsEmpty());
}

TEST(Warnings, LeaveUnnamedStateAloneInAJobThatEnds) {
  PlanBuilder builder = line({"sum"});
  builder.at(OperatorIndex(0)).bounded = true;
  builder.at(OperatorIndex(1)).stateful = true;
  EXPECT_THAT(warnings(*builder.build()), IsEmpty());
}

TEST(Warnings, NameAnOutputThatNobodyReads) {
  PlanBuilder builder = line({"map"});
  add_output(builder, OperatorIndex(1), {"late", "Payment"});
  const OperatorIndex filter = builder.add_operator(spec_of("filter"));
  builder.connect({.from = OperatorIndex(1), .to = filter});
  EXPECT_THAT(warnings(*builder.build()),
              ElementsAre("nobody reads the side output 'late' of operator 'map-1' (map): its "
                          "records are dropped; end it with .to(...)",
                          "nobody reads the output of operator 'filter-1' (filter): its "
                          "records "
                          "are dropped; end it with .to(...)"));
}

}  // namespace
}  // namespace millrace::detail
