#include "millrace/plan/plan_validation.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "millrace/core/records/key_group.h"
#include "millrace/core/text.h"
#include "millrace/plan/plan_graph.h"

namespace millrace::detail {
namespace {

std::string describe_output(const OperatorSpec& spec, std::uint32_t output) {
  const std::string& tag = spec.outputs[output].tag;
  return tag.empty() ? std::string("output") : concat("side output ", in_quotes(tag));
}

Status check_size(const LogicalPlan& plan) {
  if (plan.operators.size() <= kMaxOperators && plan.edges.size() <= kMaxEdges) return {};
  return invalid_argument(concat("the job has ", plan.operators.size(), " operators and ",
                                 plan.edges.size(), " edges, one job may have ", kMaxOperators,
                                 " and ", kMaxEdges, ": split it into several jobs"));
}

Status check_name(const OperatorSpec& spec) {
  if (spec.name.empty()) {
    return invalid_argument(concat("an operator of kind ", in_quotes(spec.kind),
                                   " has an empty name: expected some text in .named(\"...\")"));
  }
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(spec.name, is_control)) {
    return invalid_argument(concat("the name of ", describe(spec),
                                   " holds a control character: expected printable text in "
                                   ".named(\"...\")"));
  }
  return {};
}

Error same_name(const OperatorSpec& a, const OperatorSpec& b) {
  if (a.name != b.name) {
    return invalid_argument(concat("the names of ", describe(a), " and ", describe(b),
                                   " have the same id: give one of them another name"));
  }
  return invalid_argument(concat("two operators are named ", in_quotes(a.name), ", a ", a.kind,
                                 " and a ", b.kind,
                                 ": state is found by name, so names must differ; give one of "
                                 "them another with .named(\"...\")"));
}

Status check_names(const LogicalPlan& plan) {
  std::unordered_map<OperatorId, const OperatorSpec*> by_id;
  std::unordered_map<std::string_view, const OperatorSpec*> by_name;
  for (const OperatorSpec& spec : plan.operators) {
    if (Status status = check_name(spec); !status) return status;
    const auto [same, is_new] = by_name.emplace(spec.name, &spec);
    if (!is_new) return same_name(*same->second, spec);
    const auto [colliding, has_new_id] = by_id.emplace(spec.id, &spec);
    if (!has_new_id) return same_name(*colliding->second, spec);
  }
  return {};
}

Status check_outputs(const LogicalPlan& plan) {
  for (const OperatorSpec& spec : plan.operators) {
    std::set<std::string_view> tags;
    for (const OutputSpec& output : spec.outputs) {
      if (tags.insert(output.tag).second) continue;
      return invalid_argument(concat(describe(spec), " has two outputs with the tag ",
                                     in_quotes(output.tag), ": give one of them another tag"));
    }
  }
  return {};
}

Error leads_nowhere(const LogicalPlan& plan, std::string_view end, OperatorIndex index) {
  return invalid_argument(concat("an edge leads ", end, " operator ", index.value(),
                                 ", but the plan has ", plan.operators.size(),
                                 " operators, counted from 0"));
}

Status check_edge(const LogicalPlan& plan, const EdgeSpec& edge) {
  const std::size_t operators = plan.operators.size();
  if (edge.from.value() >= operators) return leads_nowhere(plan, "from", edge.from);
  if (edge.to.value() >= operators) return leads_nowhere(plan, "to", edge.to);
  const OperatorSpec& from = plan.at(edge.from);
  const OperatorSpec& to = plan.at(edge.to);
  if (edge.output >= from.outputs.size()) {
    return invalid_argument(concat(describe(to), " reads output ", edge.output, " of ",
                                   describe(from), ", which has ", from.outputs.size(),
                                   " outputs, counted from 0"));
  }
  if (edge.input >= to.inputs) {
    return invalid_argument(concat(describe(from), " leads to input ", edge.input, " of ",
                                   describe(to), ", which has ", to.inputs,
                                   " inputs, counted from 0"));
  }
  return {};
}

Status check_edges(const LogicalPlan& plan) {
  for (const EdgeSpec& edge : plan.edges) {
    if (Status status = check_edge(plan, edge); !status) return status;
  }
  return {};
}

Status check_ends(const LogicalPlan& plan) {
  if (std::ranges::none_of(plan.operators, &OperatorSpec::source)) {
    return invalid_argument("the job has no source: begin a stream with job.from(...)");
  }
  if (std::ranges::none_of(plan.operators, &OperatorSpec::sink)) {
    return invalid_argument("the job has no sink: end a stream with .to(...)");
  }
  return {};
}

Status check_inputs_of(const OperatorSpec& spec, const std::set<std::uint32_t>& connected) {
  if (spec.source && spec.inputs > 0) {
    return invalid_argument(
        concat(describe(spec), " is a source and has an input: expected one or the other"));
  }
  if (!spec.source && spec.inputs == 0) {
    return invalid_argument(
        concat(describe(spec), " has no input and is no source: ", "apply it to a stream"));
  }
  for (std::uint32_t input = 0; input < spec.inputs; ++input) {
    if (connected.contains(input)) continue;
    return invalid_argument(concat("nothing leads to input ", input, " of ", describe(spec),
                                   ": connect a stream to each of its ", spec.inputs, " inputs"));
  }
  return {};
}

Status check_inputs(const LogicalPlan& plan) {
  std::vector<std::set<std::uint32_t>> connected(plan.operators.size());
  for (const EdgeSpec& edge : plan.edges) connected[edge.to.value()].insert(edge.input);
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    if (Status status = check_inputs_of(plan.operators[i], connected[i]); !status) return status;
  }
  return {};
}

Status check_no_cycle(const LogicalPlan& plan) {
  std::string path;
  const std::vector<OperatorIndex> cycle = PlanGraph(plan).cycle();
  if (cycle.empty()) return {};
  for (const OperatorIndex index : cycle) path += plan.at(index).name + " -> ";
  return invalid_argument(concat("the job has a cycle, ", path, plan.at(cycle.front()).name,
                                 ": streams flow from sources to sinks; take out one of these "
                                 "connections"));
}

Status check_job_parallelism(const LogicalPlan& plan) {
  if (plan.parallelism == 0) {
    return invalid_argument("the job's parallelism is 0: expected at least 1");
  }
  if (plan.max_parallelism > kMostMaxParallelism) {
    return invalid_argument(concat("the job's maximum parallelism is ", plan.max_parallelism,
                                   ": expected 1 to ", kMostMaxParallelism, ", or 0 to choose it"));
  }
  return {};
}

Status check_parallelism_of(const LogicalPlan& plan, const OperatorSpec& spec) {
  if (spec.parallelism == 0u) {
    return invalid_argument(concat("the parallelism of ", describe(spec),
                                   " is 0: expected at least 1 in .parallelism(...)"));
  }
  if (spec.single && spec.parallelism.value_or(1) != 1) {
    return invalid_argument(concat(describe(spec), " can only have one subtask, not ",
                                   *spec.parallelism, ": take out its .parallelism(...)"));
  }
  if (spec.max_parallelism &&
      (*spec.max_parallelism == 0 || *spec.max_parallelism > kMostMaxParallelism)) {
    return invalid_argument(concat("the maximum parallelism of ", describe(spec), " is ",
                                   *spec.max_parallelism, ": expected 1 to ", kMostMaxParallelism));
  }
  const std::uint32_t most = spec.max_parallelism.value_or(
      plan.max_parallelism == 0 ? kMostMaxParallelism : plan.max_parallelism);
  const std::uint32_t parallelism = parallelism_of(plan, spec);
  if (parallelism > most) {
    return invalid_argument(concat("the parallelism of ", describe(spec), " is ", parallelism,
                                   ", more than its maximum of ", most,
                                   ": lower it, or raise the maximum parallelism, which a job "
                                   "keeps for life"));
  }
  return {};
}

Status check_parallelism(const LogicalPlan& plan) {
  if (Status status = check_job_parallelism(plan); !status) return status;
  for (const OperatorSpec& spec : plan.operators) {
    if (Status status = check_parallelism_of(plan, spec); !status) return status;
  }
  return {};
}

Status check_chosen_forward(const LogicalPlan& plan) {
  const PlanGraph graph(plan);
  for (const auto edge : indices<EdgeIndex>(plan.edges.size())) {
    if (plan.at(edge).exchange != Exchange::kForward || !plan.at(edge).chosen) continue;
    const OperatorSpec& from = plan.at(graph.from(edge));
    const OperatorSpec& to = plan.at(graph.to(edge));
    const std::uint32_t upstream = parallelism_of(plan, from);
    const std::uint32_t downstream = parallelism_of(plan, to);
    if (upstream == downstream) continue;
    return invalid_argument(concat("forward needs the same parallelism at both ends, but ",
                                   describe(from), " has ", upstream, " and ", describe(to),
                                   " has ", downstream,
                                   ": make them equal, or use .rebalance() or .rescale()"));
  }
  return {};
}

Error differing_types(const LogicalPlan& plan, const PlanGraph& graph, EdgeIndex a, EdgeIndex b) {
  const auto producer = [&](EdgeIndex edge) {
    const OperatorSpec& from = plan.at(graph.from(edge));
    return concat(in_quotes(from.outputs[plan.at(edge).output].schema), " from ", describe(from));
  };
  return invalid_argument(concat("input ", plan.at(b).input, " of ", describe(plan.at(graph.to(b))),
                                 " unites streams of different types, ", producer(a), " and ",
                                 producer(b), ": map one of them to the other's type first"));
}

Status check_unions(const LogicalPlan& plan) {
  const PlanGraph graph(plan);
  const auto schema = [&](EdgeIndex edge) -> const std::string& {
    return plan.at(graph.from(edge)).outputs[plan.at(edge).output].schema;
  };
  std::map<std::pair<OperatorIndex, std::uint32_t>, EdgeIndex> known;  // by input
  for (const auto edge : indices<EdgeIndex>(plan.edges.size())) {
    if (schema(edge).empty()) continue;
    const auto [first, is_new] =
        known.emplace(std::pair(graph.to(edge), plan.at(edge).input), edge);
    if (!is_new && schema(first->second) != schema(edge)) {
      return differing_types(plan, graph, first->second, edge);
    }
  }
  return {};
}

Status check_keys(const LogicalPlan& plan) {
  const PlanGraph graph(plan);
  for (const auto index : indices<EdgeIndex>(plan.edges.size())) {
    const EdgeSpec& edge = plan.at(index);
    const OperatorSpec& to = plan.at(graph.to(index));
    if (edge.exchange != Exchange::kKeyed || edge.key_schema.empty() || to.key_schema.empty()) {
      continue;
    }
    if (edge.key_schema == to.key_schema) continue;
    return invalid_argument(concat("input ", edge.input, " of ", describe(to), " is keyed by ",
                                   edge.key_schema, ", but its state is keyed by ", to.key_schema,
                                   ": use a key of one type in .key_by(...)"));
  }
  return {};
}

Status check_mode(const LogicalPlan& plan) {
  if (plan.mode != Mode::kBatch) return {};
  for (const OperatorSpec& spec : plan.operators) {
    if (!spec.source || spec.bounded) continue;
    return invalid_argument(concat("the job's mode is batch, but ", describe(spec),
                                   " never ends: bound it, or use the mode streaming"));
  }
  return {};
}

// The sources behind an operator's inputs that are read first, or behind the others.
std::set<OperatorIndex> sources_behind(const LogicalPlan& plan, const PlanGraph& graph,
                                       OperatorIndex index, bool read_first) {
  std::set<OperatorIndex> seen;
  std::vector<OperatorIndex> next;
  const auto visit = [&](EdgeIndex edge) {
    if (seen.insert(graph.from(edge)).second) next.push_back(graph.from(edge));
  };
  for (const EdgeIndex edge : graph.incoming(index)) {
    if (plan.at(edge).read_first == read_first) visit(edge);
  }
  while (!next.empty()) {
    const OperatorIndex behind = next.back();
    next.pop_back();
    for (const EdgeIndex edge : graph.incoming(behind)) visit(edge);
  }
  std::erase_if(seen, [&](OperatorIndex behind) { return !plan.at(behind).source; });
  return seen;
}

// Which sources must end before which others may go on, and for the sake of which operator.
struct Precedence {
  OperatorIndex first;
  OperatorIndex then;
  OperatorIndex reader;
};

std::vector<Precedence> precedences(const LogicalPlan& plan, const PlanGraph& graph) {
  std::set<OperatorIndex> readers;
  for (const EdgeSpec& edge : plan.edges) {
    if (edge.read_first) readers.insert(edge.to);
  }
  std::vector<Precedence> all;
  for (const OperatorIndex reader : readers) {
    for (const OperatorIndex first : sources_behind(plan, graph, reader, true)) {
      for (const OperatorIndex then : sources_behind(plan, graph, reader, false)) {
        all.push_back({first, then, reader});
      }
    }
  }
  return all;
}

// What must end before `last` may go on, directly or not.
std::set<OperatorIndex> ended_before(OperatorIndex last, const std::vector<Precedence>& all) {
  std::set<OperatorIndex> before;
  std::vector<OperatorIndex> next{last};
  while (!next.empty()) {
    const OperatorIndex then = next.back();
    next.pop_back();
    for (const Precedence& precedence : all) {
      if (precedence.then != then || !before.insert(precedence.first).second) continue;
      next.push_back(precedence.first);
    }
  }
  return before;
}

// Records that wait for the input that is read first hold up their sources. Where these are, in the
// end, the ones that are waited for, nothing ever moves.
Status check_read_first(const LogicalPlan& plan) {
  const PlanGraph graph(plan);
  const std::vector<Precedence> all = precedences(plan, graph);
  for (const Precedence& precedence : all) {
    const OperatorSpec& reader = plan.at(precedence.reader);
    const OperatorSpec& source = plan.at(precedence.first);
    if (!source.bounded) {
      return invalid_argument(concat(describe(reader), " reads to its end what comes from ",
                                     describe(source),
                                     ", which never ends: bound it, or do not ask for read_first"));
    }
    if (!ended_before(precedence.first, all).contains(precedence.first)) continue;
    return invalid_argument(concat(describe(reader), " reads first what comes from ",
                                   describe(source),
                                   ", which would wait for itself, since its records are read "
                                   "after others that wait for them: read the first input from a "
                                   "source of its own, or do not ask for read_first"));
  }
  return {};
}

}  // namespace

// Each check may rely on what the ones before it have found to be right.
Status validate(const LogicalPlan& plan) {
  for (const auto check : {check_size, check_names, check_outputs, check_edges, check_ends,
                           check_inputs, check_no_cycle, check_parallelism, check_chosen_forward,
                           check_unions, check_keys, check_mode, check_read_first}) {
    if (Status status = check(plan); !status) return status;
  }
  return {};
}

std::vector<std::string> warnings(const LogicalPlan& plan) {
  std::vector<std::string> found;
  std::set<std::pair<OperatorIndex, std::uint32_t>> read;
  for (const EdgeSpec& edge : plan.edges) read.emplace(edge.from, edge.output);
  const bool endless = std::ranges::any_of(
      plan.operators, [](const OperatorSpec& spec) { return spec.source && !spec.bounded; });
  for (const auto index : indices<OperatorIndex>(plan.operators.size())) {
    const OperatorSpec& spec = plan.at(index);
    if (endless && spec.stateful && !spec.named) {
      found.push_back(concat("operator ", in_quotes(spec.name),
                             " keeps state but has no name: after a change of the job its state "
                             "could not be found again; add .named(\"...\")"));
    }
    for (std::uint32_t output = 0; output < spec.outputs.size(); ++output) {
      if (read.contains({index, output})) continue;
      found.push_back(concat("nobody reads the ", describe_output(spec, output), " of ",
                             describe(spec), ": its records are dropped; end it with .to(...)"));
    }
  }
  return found;
}

}  // namespace millrace::detail
