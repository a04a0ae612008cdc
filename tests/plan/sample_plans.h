// Small plans that the tests share. Each is valid as it stands.
#pragma once

#include <string>
#include <utility>

#include "millrace/plan/plan_builder.h"

namespace millrace::detail {

inline OperatorSpec source_spec(std::string schema = "Payment") {
  return {.kind = "source", .source = true, .outputs = {{"", std::move(schema)}}};
}

inline OperatorSpec spec_of(std::string kind, std::string schema = "Payment") {
  return {.kind = std::move(kind), .outputs = {{"", std::move(schema)}}, .inputs = 1};
}

inline OperatorSpec sink_spec() { return {.kind = "sink", .sink = true, .inputs = 1}; }

inline OperatorSpec named(std::string name, OperatorSpec spec) {
  spec.name = std::move(name);
  spec.named = true;
  return spec;
}

// The number of the operator's new side output.
inline std::uint32_t add_output(PlanBuilder& builder, OperatorIndex index, OutputSpec output) {
  std::vector<OutputSpec>& outputs = builder.at(index).outputs;
  outputs.push_back(std::move(output));
  return static_cast<std::uint32_t>(outputs.size() - 1);
}

// source-1 -> map-1 -> ... -> sink-1 by forward edges, of the kinds given.
inline PlanBuilder line(std::initializer_list<const char*> kinds) {
  PlanBuilder builder("line");
  OperatorIndex last = builder.add_operator(source_spec());
  for (const char* kind : kinds) {
    const OperatorIndex next = builder.add_operator(spec_of(kind));
    builder.connect({.from = last, .to = next});
    last = next;
  }
  builder.connect({.from = last, .to = builder.add_operator(sink_spec())});
  return builder;
}

// payments -> map-1 =keyed=> probe-detector -> alerts, whose side output 'refused' is printed by
// one subtask.
inline PlanBuilder fraud() {
  PlanBuilder builder("fraud");
  builder.set_parallelism(4);
  const auto payments = builder.add_operator(named("payments", source_spec()));
  const auto map = builder.add_operator(spec_of("map"));
  const auto detector = builder.add_operator(spec_of("process", "Alert"));
  const auto alerts = builder.add_operator(named("alerts", sink_spec()));
  const auto print = builder.add_operator(sink_spec());
  builder.at(payments).bounded = true;
  builder.at(detector).stateful = true;
  builder.at(detector).key_schema = "string";
  builder.at(print).single = true;
  builder.rename(detector, "probe-detector");
  const auto refused = add_output(builder, detector, {"refused", "Payment"});
  builder.connect({.from = payments, .to = map});
  builder.connect(
      {.from = map, .to = detector, .exchange = Exchange::kKeyed, .key_schema = "string"});
  builder.connect({.from = detector, .to = alerts});
  builder.connect({.from = detector, .output = refused, .to = print});
  return builder;
}

}  // namespace millrace::detail
