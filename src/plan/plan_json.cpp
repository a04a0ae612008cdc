#include <nlohmann/json.hpp>

#include "millrace/plan/channels.h"
#include "millrace/plan/fingerprint.h"
#include "millrace/plan/plan_text.h"

namespace millrace::detail {
namespace {

using Json = nlohmann::ordered_json;

// As text, because a JSON number does not hold 64 bits everywhere.
std::string json_id(OperatorId id) { return to_hex(id.value()); }
std::string json_id(const LogicalPlan& plan, OperatorIndex index) {
  return json_id(plan.at(index).id);
}

Json json_of(const OperatorSpec& spec) {
  Json outputs = Json::array();
  for (const OutputSpec& output : spec.outputs) {
    outputs.push_back({{"tag", output.tag}, {"schema", output.schema}});
  }
  return {{"id", json_id(spec.id)},  {"name", spec.name},         {"named", spec.named},
          {"kind", spec.kind},       {"source", spec.source},     {"sink", spec.sink},
          {"bounded", spec.bounded}, {"stateful", spec.stateful}, {"key", spec.key_schema},
          {"inputs", spec.inputs},   {"outputs", outputs}};
}

Json json_of(const LogicalPlan& plan, const EdgeSpec& edge) {
  return {{"from", json_id(plan, edge.from)},
          {"output", edge.output},
          {"to", json_id(plan, edge.to)},
          {"input", edge.input}};
}

Json json_of(const LogicalPlan& plan, const TaskSpec& task) {
  Json operators = Json::array();
  for (const OperatorIndex index : task.operators) operators.push_back(json_of(plan.at(index)));
  Json chained = Json::array();
  for (const EdgeIndex edge : task.chained) chained.push_back(json_of(plan, plan.at(edge)));
  return {{"id", task.id.value()},
          {"name", task.name},
          {"parallelism", task.parallelism},
          {"max_parallelism", task.max_parallelism},
          {"slot_sharing_group", task.slot_sharing_group},
          {"blocking", task.blocking},
          {"operators", operators},
          {"chained", chained}};
}

Json json_of(const ExecutionPlan& plan, const TaskEdge& edge) {
  const EdgeSpec& logical = plan.logical.at(edge.edge);
  return {{"from_task", edge.from.value()},
          {"to_task", edge.to.value()},
          {"from", json_id(plan.logical, logical.from)},
          {"output", logical.output},
          {"to", json_id(plan.logical, logical.to)},
          {"input", logical.input},
          {"exchange", to_string(edge.exchange)},
          {"key", logical.key_schema},
          {"read_first", logical.read_first},
          {"channels", channel_count(plan, edge)}};
}

}  // namespace

std::string to_json(const ExecutionPlan& plan) {
  Json tasks = Json::array();
  for (const TaskSpec& task : plan.tasks) tasks.push_back(json_of(plan.logical, task));
  Json edges = Json::array();
  for (const TaskEdge& edge : plan.edges) edges.push_back(json_of(plan, edge));
  const Json json = {{"job", plan.logical.job},
                     {"mode", to_string(plan.mode)},
                     {"parallelism", plan.logical.parallelism},
                     {"max_parallelism", plan.max_parallelism},
                     {"slots", slots_required(plan)},
                     {"fingerprint", fingerprint(plan.logical)},
                     {"tasks", tasks},
                     {"edges", edges}};
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace);  // names may be any bytes
}

}  // namespace millrace::detail
