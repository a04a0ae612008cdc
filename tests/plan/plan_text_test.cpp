#include "millrace/plan/plan_text.h"

#include <gtest/gtest.h>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

ExecutionPlan plan_of(const PlanBuilder& builder) { return *make_execution_plan(*builder.build()); }

// Payments, whole and filtered, meet rates that are read first.
PlanBuilder enrichment() {
  PlanBuilder builder("rates");
  const auto payments = builder.add_operator(named("payments", source_spec()));
  const auto rates = builder.add_operator(named("rates", source_spec("")));
  const auto filter = builder.add_operator(spec_of("filter"));
  OperatorSpec spec = spec_of("process", "{currency: string, " + std::string(60, 'x') + "}");
  spec.inputs = 2;
  const auto enrich = builder.add_operator(named("enrich", spec));
  const auto print = builder.add_operator(sink_spec());
  builder.at(rates).bounded = true;
  builder.at(enrich).slot_sharing_group = "heavy";
  builder.at(enrich).max_parallelism = 16;
  builder.at(print).blocking = true;
  builder.connect({.from = payments, .to = filter});
  builder.connect({.from = filter, .to = enrich});
  builder.connect({.from = payments, .to = enrich, .exchange = Exchange::kRandom});
  builder.connect({.from = rates,
                   .to = enrich,
                   .input = 1,
                   .exchange = Exchange::kBroadcast,
                   .read_first = true});
  builder.connect({.from = enrich, .to = print});
  return builder;
}

TEST(PlanText, PrintsTasksAsTreesWithTheirEdges) {
  EXPECT_EQ(
      to_text(plan_of(fraud())),
      R"(job fraud: batch, parallelism 4, 128 key groups, 4 slots, fingerprint 8a064d12a78e9e23

task 0: payments -> map-1 (x4)
  payments (source): Payment
    map-1 (map): Payment
  -> probe-detector (x4) by key string, 16 channels

task 1: probe-detector -> alerts (x4)
  probe-detector (process by string, state): Alert, 'refused' Payment
    alerts (sink)
  -> sink-2 (x1) rebalance, 4 channels, side output 'refused' of probe-detector

task 2: sink-2 (x1)
  sink-2 (sink)
)");
}

TEST(PlanText, SaysWhatIsOutOfTheOrdinary) {
  EXPECT_EQ(
      to_text(plan_of(enrichment())),
      R"(job rates: streaming, parallelism 1, 128 key groups, 2 slots, fingerprint ef67aefd3a497773

task 0: payments -> filter-1 (x1)
  payments (source): Payment
    filter-1 (filter): Payment
  -> enrich (x1) forward, 1 channel, input 0
  -> enrich (x1) random, 1 channel, from payments, input 0

task 1: rates (x1)
  rates (source): unknown
  -> enrich (x1) broadcast, 1 channel, input 1, read first

task 2: enrich (x1), slot sharing group 'heavy', 16 key groups
  enrich (process): {currency: string, xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
  -> sink-1 (x1) forward, 1 channel

task 3: sink-1 (x1), slot sharing group 'heavy', blocking
  sink-1 (sink)
)");
}

TEST(PlanText, KeepsEveryTypeOnItsLine) {
  PlanBuilder builder = line({});
  builder.at(OperatorIndex(0)).outputs[0].schema = "two\nlines";
  EXPECT_NE(to_text(plan_of(builder)).find("source-1 (source): two lines\n"), std::string::npos);
}

TEST(PlanJson, PrintsEveryMemberInAFixedOrder) {
  PlanBuilder builder = line({});
  builder.at(OperatorIndex(1)).parallelism = 2;
  EXPECT_EQ(to_json(plan_of(builder)), R"({
  "job": "line",
  "mode": "streaming",
  "parallelism": 1,
  "max_parallelism": 128,
  "slots": 2,
  "fingerprint": "539b6cace2ee142d",
  "tasks": [
    {
      "id": 0,
      "name": "source-1",
      "parallelism": 1,
      "max_parallelism": 128,
      "slot_sharing_group": "default",
      "blocking": false,
      "operators": [
        {
          "id": "df5230da47551dd3",
          "name": "source-1",
          "named": false,
          "kind": "source",
          "source": true,
          "sink": false,
          "bounded": false,
          "stateful": false,
          "key": "",
          "inputs": 0,
          "outputs": [
            {
              "tag": "",
              "schema": "Payment"
            }
          ]
        }
      ],
      "chained": []
    },
    {
      "id": 1,
      "name": "sink-1",
      "parallelism": 2,
      "max_parallelism": 128,
      "slot_sharing_group": "default",
      "blocking": false,
      "operators": [
        {
          "id": "f67ae9a4488637f7",
          "name": "sink-1",
          "named": false,
          "kind": "sink",
          "source": false,
          "sink": true,
          "bounded": false,
          "stateful": false,
          "key": "",
          "inputs": 1,
          "outputs": []
        }
      ],
      "chained": []
    }
  ],
  "edges": [
    {
      "from_task": 0,
      "to_task": 1,
      "from": "df5230da47551dd3",
      "output": 0,
      "to": "f67ae9a4488637f7",
      "input": 0,
      "exchange": "rebalance",
      "key": "",
      "read_first": false,
      "channels": 2
    }
  ]
})");
}

TEST(PlanJson, ReplacesBytesThatAreNotText) {
  PlanBuilder builder = line({});
  builder.rename(OperatorIndex(0), "caf\xe9");
  EXPECT_NE(to_json(plan_of(builder)).find("caf\xef\xbf\xbd"), std::string::npos);
}

}  // namespace
}  // namespace millrace::detail
