#include "millrace/plan/fingerprint.h"

#include <algorithm>
#include <map>
#include <vector>

#include "millrace/core/records/hash.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

struct Aspect {
  std::string what;
  std::string value;
};

// All that must agree about one operator, the most telling first.
using Aspects = std::vector<Aspect>;

std::string_view yes_or_no(bool value) { return value ? "yes" : "no"; }

std::string describe_output(const LogicalPlan& plan, const EdgeSpec& edge) {
  return concat("output ", edge.output, " of ", in_quotes(plan.at(edge.from).name));
}

std::string describe_edge(const LogicalPlan& plan, const EdgeSpec& edge) {
  std::string text = concat(describe_output(plan, edge), ' ', to_string(edge.exchange));
  if (!edge.key_schema.empty()) text += concat(" by ", edge.key_schema);
  if (edge.read_first) text += " read first";
  return text;
}

Aspects aspects_of(const OperatorSpec& spec) {
  Aspects aspects{{"kind", spec.kind},
                  {"name", spec.name},
                  {"key", spec.key_schema},
                  {"number of inputs", std::to_string(spec.inputs)},
                  {"being stateful", std::string(yes_or_no(spec.stateful))},
                  {"being a source", std::string(yes_or_no(spec.source))},
                  {"being a sink", std::string(yes_or_no(spec.sink))},
                  {"being bounded", std::string(yes_or_no(spec.bounded))},
                  {"having splits", std::string(yes_or_no(spec.splits))},
                  {"being blocking", std::string(yes_or_no(spec.blocking))},
                  {"being single", std::string(yes_or_no(spec.single))}};
  for (std::size_t i = 0; i < spec.outputs.size(); ++i) {
    aspects.push_back({concat("tag of output ", i), spec.outputs[i].tag});
    aspects.push_back({concat("type of output ", i), spec.outputs[i].schema});
  }
  return aspects;
}

// The operators by id, each with the edges into it: the order of the plan is gone.
std::map<OperatorId, Aspects> aspects_of(const LogicalPlan& plan) {
  std::map<OperatorId, Aspects> all;
  for (const OperatorSpec& spec : plan.operators) all.emplace(spec.id, aspects_of(spec));
  std::map<std::pair<OperatorId, std::uint32_t>, std::vector<std::string>> inputs;
  for (const EdgeSpec& edge : plan.edges) {
    inputs[{plan.at(edge.to).id, edge.input}].push_back(describe_edge(plan, edge));
  }
  for (auto& [to, edges] : inputs) {
    std::ranges::sort(edges);
    all[to.first].push_back({concat("input ", to.second), join(edges)});
  }
  return all;
}

void append(std::string& text, std::string_view piece) { text += concat(piece.size(), ':', piece); }

// Around the place where a long text departs from the other.
std::string excerpt(const std::string& text, const std::string& other) {
  constexpr std::ptrdiff_t kBefore = 40;
  const auto departs = std::ranges::mismatch(text, other).in1 - text.begin();
  if (departs <= kBefore) return in_quotes(text);
  return in_quotes("..." + text.substr(static_cast<std::size_t>(departs - kBefore)));
}

// An operator may have an output or an input that the other one lacks.
const std::string* find_value(const Aspects& aspects, const std::string& what) {
  const auto found = std::ranges::find(aspects, what, &Aspect::what);
  return found == aspects.end() ? nullptr : &found->value;
}

std::optional<std::string> compare(const std::string& name, const std::string& what,
                                   const std::string* expected, const std::string* actual) {
  if (expected != nullptr && actual != nullptr && *expected == *actual) return std::nullopt;
  const auto print = [](const std::string* value, const std::string* other) {
    return value == nullptr ? "absent" : excerpt(*value, other == nullptr ? "" : *other);
  };
  return concat("operator ", in_quotes(name), " differs in its ", what, ": it is ",
                print(actual, expected), ", expected ", print(expected, actual));
}

std::optional<std::string> first_difference(const std::string& name, const Aspects& expected,
                                            const Aspects& actual) {
  for (const auto& [what, value] : expected) {
    auto difference = compare(name, what, &value, find_value(actual, what));
    if (difference) return difference;
  }
  for (const auto& [what, value] : actual) {
    auto difference = compare(name, what, find_value(expected, what), &value);
    if (difference) return difference;
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t fingerprint_number(const LogicalPlan& plan) {
  std::string text;
  for (const auto& [id, aspects] : aspects_of(plan)) {
    append(text, to_hex(id.value()));
    for (const Aspect& aspect : aspects) {
      append(text, aspect.what);
      append(text, aspect.value);
    }
  }
  return hash_text(text);
}

std::string fingerprint(const LogicalPlan& plan) { return to_hex(fingerprint_number(plan)); }

std::optional<std::string> first_difference(const LogicalPlan& expected,
                                            const LogicalPlan& actual) {
  const std::map<OperatorId, Aspects> wanted = aspects_of(expected);
  const std::map<OperatorId, Aspects> found = aspects_of(actual);
  for (const OperatorSpec& spec : actual.operators) {
    if (!wanted.contains(spec.id)) return describe(spec) + " was not expected";
  }
  for (const OperatorSpec& spec : expected.operators) {
    const auto same = found.find(spec.id);
    if (same == found.end()) return describe(spec) + " is missing";
    auto difference = first_difference(spec.name, wanted.at(spec.id), same->second);
    if (difference) return difference;
  }
  return std::nullopt;
}

}  // namespace millrace::detail
