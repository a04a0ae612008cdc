#include "millrace/plan/fingerprint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

LogicalPlan sample() { return *fraud().build(); }

std::string difference(const std::function<void(LogicalPlan&)>& change) {
  LogicalPlan changed = sample();
  change(changed);
  EXPECT_NE(fingerprint(changed), fingerprint(sample()));
  return first_difference(sample(), changed).value_or("none");
}

TEST(Fingerprint, IsTheSameInEveryProcess) {
  EXPECT_EQ(fingerprint(sample()), "8a064d12a78e9e23");
  EXPECT_EQ(first_difference(sample(), sample()), std::nullopt);
}

TEST(Fingerprint, IgnoresWhatIsSettledAtSubmission) {
  LogicalPlan plan = sample();
  plan.job = "another";
  plan.mode = Mode::kStreaming;
  plan.parallelism = 7;
  plan.max_parallelism = 64;
  plan.chaining = false;
  plan.operators[1].parallelism = 2;
  plan.operators[1].max_parallelism = 32;
  plan.operators[1].chaining = Chaining::kNever;
  plan.operators[1].slot_sharing_group = "heavy";
  EXPECT_EQ(fingerprint(plan), fingerprint(sample()));
  EXPECT_EQ(first_difference(sample(), plan), std::nullopt);
}

TEST(Fingerprint, IgnoresTheOrderOfOperatorsAndEdges) {
  LogicalPlan plan = sample();
  std::ranges::reverse(plan.operators);
  std::ranges::reverse(plan.edges);
  const auto last = static_cast<std::uint32_t>(plan.operators.size() - 1);
  for (EdgeSpec& edge : plan.edges) {
    edge.from = OperatorIndex(last - edge.from.value());
    edge.to = OperatorIndex(last - edge.to.value());
  }
  EXPECT_EQ(fingerprint(plan), fingerprint(sample()));
  EXPECT_EQ(first_difference(sample(), plan), std::nullopt);
}

TEST(FirstDifference, NamesAnOperatorThatIsNewOrMissing) {
  EXPECT_EQ(difference([](auto& plan) {
              plan.operators.push_back(named("x", sink_spec()));
              plan.operators.back().id = operator_id("x");
            }),
            "operator 'x' (sink) was not expected");
  EXPECT_EQ(difference([](auto& plan) {
              plan.operators.pop_back();
              plan.edges.pop_back();
            }),
            "operator 'sink-2' (sink) is missing");
}

TEST(FirstDifference, NamesTheOperatorAndWhatDiffers) {
  EXPECT_EQ(difference([](auto& plan) { plan.operators[2].key_schema = "int64"; }),
            "operator 'probe-detector' differs in its key: it is 'int64', expected "
            "'string'");
  EXPECT_EQ(difference([](auto& plan) { plan.operators[1].kind = "filter"; }),
            "operator 'map-1' differs in its kind: it is 'filter', expected 'map'");
  EXPECT_EQ(difference([](auto& plan) { plan.operators[2].stateful = false; }),
            "operator 'probe-detector' differs in its being stateful: it is "
            "'no', expected 'yes'");
  EXPECT_EQ(difference([](auto& plan) { plan.operators[2].outputs[1].schema = "Order"; }),
            "operator 'probe-detector' differs in its type of output 1: it is "
            "'Order', expected "
            "'Payment'");
}

TEST(FirstDifference, NamesTheOperatorWhoseInputDiffers) {
  EXPECT_EQ(difference([](auto& plan) { plan.edges[1].exchange = Exchange::kRandom; }),
            "operator 'probe-detector' differs in its input 0: it is 'output 0 "
            "of 'map-1' random "
            "by string', expected 'output 0 of 'map-1' keyed by string'");
  EXPECT_EQ(difference([](auto& plan) { plan.edges.pop_back(); }),
            "operator 'sink-2' differs in its input 0: it is absent, expected "
            "'output 1 of "
            "'probe-detector' forward'");
}

TEST(FirstDifference, ShowsWhereALongTypeDeparts) {
  const std::string type(100, 'a');
  LogicalPlan expected = sample();
  LogicalPlan actual = sample();
  expected.operators[0].outputs[0].schema = type + "int32";
  actual.operators[0].outputs[0].schema = type + "int64";
  const std::string around(40 - 3, 'a');
  EXPECT_EQ(*first_difference(expected, actual),
            "operator 'payments' differs in its type of output 0: it is '..." + around +
                "int64', expected '..." + around + "int32'");
}

}  // namespace
}  // namespace millrace::detail
