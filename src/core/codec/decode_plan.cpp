#include "millrace/core/codec/decode_plan.h"

#include <algorithm>
#include <map>

#include "millrace/core/codec/column_input.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using Action = DecodeStep::Action;

bool widens(Kind from, Kind to) {
  if (from == Kind::kFloat) return to == Kind::kDouble;
  const bool grows = fixed_width(from) < fixed_width(to);
  if (is_unsigned_integer(from)) {
    return grows && (is_unsigned_integer(to) || is_signed_integer(to));
  }
  return is_signed_integer(from) && is_signed_integer(to) && grows;
}

class Planner {
 public:
  explicit Planner(const Schema& written) : nodes_(written.nodes()) {}

  // The step's index. What was planned already is shared, so a recursive type comes to an end.
  std::uint32_t plan(std::uint32_t node, const Type& type) {
    const auto [known, is_new] = planned_.try_emplace({node, &type}, steps_.size());
    const std::uint32_t step = known->second;
    if (!is_new) return step;
    steps_.emplace_back();
    DecodeStep made = make(nodes_[node], type);
    made.type = &type;
    made.node = node;
    steps_[step] = std::move(made);
    return step;
  }

  const std::string& problem() const { return problem_; }
  std::vector<DecodeStep> take() { return std::move(steps_); }

 private:
  DecodeStep make(const SchemaNode& from, const Type& to) {
    if (from.kind == to.kind) {
      switch (to.kind) {
        case Kind::kRecord:
          return record(from, to);
        case Kind::kVariant:
          return variant(from, to);
        case Kind::kOptional:
          return container(Action::kOptional, from, to);
        case Kind::kList:
          return container(Action::kList, from, to);
        case Kind::kMap:
          return container(Action::kMap, from, to);
        case Kind::kArray:
          if (from.length != to.length) return fail(from, to);
          return container(Action::kArray, from, to);
        default:
          return value(from, to);
      }
    }
    if (to.kind == Kind::kOptional) return became_optional(from, to);
    return value(from, to);
  }

  DecodeStep value(const SchemaNode& from, const Type& to) {
    const bool is_plain = fixed_width(from.kind) > 0 && fixed_width(to.kind) > 0;
    const bool same_period = from.period_numerator == to.period_numerator &&
                             from.period_denominator == to.period_denominator;
    if (!(is_plain || from.kind == to.kind) || !same_period) return fail(from, to);
    const Kind written = held_as(from);
    if (written == held_as(to)) return {};
    if (!widens(written, held_as(to))) return fail(from, to);
    return with_action(Action::kWiden);
  }

  DecodeStep container(Action action, const SchemaNode& from, const Type& to) {
    DecodeStep made = with_action(action);
    if (action == Action::kMap) made.key = plan(from.key, to.key());
    made.element = plan(from.element, to.element());
    const bool same_keys = action != Action::kMap || is_same(made.key);
    if (same_keys && is_same(made.element)) made.action = Action::kSame;
    return made;
  }

  DecodeStep became_optional(const SchemaNode& from, const Type& to) {
    DecodeStep made = with_action(Action::kBecameOptional);
    made.element = plan(static_cast<std::uint32_t>(&from - nodes_.data()), to.element());
    return made;
  }

  DecodeStep record(const SchemaNode& from, const Type& to) {
    if (from.name.empty() != to.is_tuple()) return fail(from, to);
    if (to.is_tuple() && from.members.size() != to.fields.size()) return fail(from, to);
    DecodeStep made = with_action(Action::kRecord);
    bool same = from.members.size() == to.fields.size();
    std::size_t found = 0;
    for (std::size_t i = 0; i < from.members.size(); ++i) {
      const SchemaMember& member = from.members[i];
      const auto field = std::find_if(to.fields.begin(), to.fields.end(),
                                      [&](const Field& each) { return each.name == member.name; });
      if (field == to.fields.end()) {
        made.columns.push_back({.node = member.node, .skipped = true});
        continue;
      }
      ++found;
      const std::uint32_t step = plan_member(member, field->type());
      same = same && field == to.fields.begin() + static_cast<std::ptrdiff_t>(i) && is_same(step);
      made.columns.push_back({.node = member.node, .step = step, .offset = field->offset});
    }
    made.resets = found < to.fields.size();
    if (same && !made.resets) made.action = Action::kSame;
    return made;
  }

  DecodeStep variant(const SchemaNode& from, const Type& to) {
    DecodeStep made = with_action(Action::kVariant);
    bool same = from.members.size() == to.fields.size();
    for (std::size_t i = 0; i < from.members.size(); ++i) {
      const SchemaMember& member = from.members[i];
      const auto field = std::find_if(to.fields.begin(), to.fields.end(),
                                      [&](const Field& each) { return each.name == member.name; });
      if (field == to.fields.end()) return fail(from, to);
      const auto index = static_cast<std::uint8_t>(field - to.fields.begin());
      const std::uint32_t step = plan_member(member, field->type());
      same = same && index == i && is_same(step);
      made.columns.push_back({.node = member.node, .step = step});
      made.tag_of.push_back(index);
    }
    if (same) made.action = Action::kSame;
    return made;
  }

  std::uint32_t plan_member(const SchemaMember& member, const Type& type) {
    path_.push_back(member.name);
    const std::uint32_t step = plan(member.node, type);
    path_.pop_back();
    return step;
  }

  // Not of a step that is still being made, which only a recursive type meets.
  bool is_same(std::uint32_t step) const {
    return steps_[step].type != nullptr && steps_[step].action == Action::kSame;
  }

  static DecodeStep with_action(Action action) {
    DecodeStep made;
    made.action = action;
    return made;
  }

  DecodeStep fail(const SchemaNode& from, const Type& to) {
    if (!problem_.empty()) return {};
    std::string path;
    for (const std::string& name : path_) path += path.empty() ? name : '.' + name;
    const std::string what = path.empty() ? "the value" : concat("field ", in_quotes(path));
    const std::string_view was = from.name.empty() ? to_string(from.kind) : from.name;
    const std::string_view is = to.name.empty() ? to_string(to.kind) : to.name;
    problem_ = concat(what, " was written as ", was, " and cannot be read as ", is);
    return {};
  }

  const std::vector<SchemaNode>& nodes_;
  std::map<std::pair<std::uint32_t, const Type*>, std::uint32_t> planned_;
  std::vector<DecodeStep> steps_;
  std::vector<std::string> path_;
  std::string problem_;
};

// A schema has no record that holds itself by value, so this comes to an end.
std::uint64_t add_least_bits(const std::vector<SchemaNode>& nodes, std::uint32_t index,
                             std::vector<std::uint64_t>& bits) {
  if (bits[index] > 0) return bits[index];
  const SchemaNode& node = nodes[index];
  std::uint64_t sum = 0;
  switch (node.kind) {
    case Kind::kOptional:
      sum = 1;
      break;
    case Kind::kArray:
      sum = add_least_bits(nodes, node.element, bits);  // times the length, but a bound will do
      break;
    case Kind::kRecord:
      for (const SchemaMember& each : node.members) sum += add_least_bits(nodes, each.node, bits);
      break;
    default:
      sum = 8 * std::max<std::size_t>(fixed_width(held_as(node)), 1);
  }
  return bits[index] = std::clamp<std::uint64_t>(sum, 1, 1 << 20);
}

}  // namespace

std::vector<std::uint64_t> least_bits_of_nodes(const Schema& schema) {
  std::vector<std::uint64_t> bits(schema.nodes().size());
  for (std::uint32_t i = 0; i < bits.size(); ++i) add_least_bits(schema.nodes(), i, bits);
  return bits;
}

Result<std::vector<DecodeStep>> plan_steps(const Schema& written, const Type& wanted) {
  const Schema schema = schema_of(wanted);
  if (written == schema) {
    std::vector<DecodeStep> same(1);
    same.front().type = &wanted;
    return same;
  }
  Planner planner(written);
  planner.plan(0, wanted);
  if (planner.problem().empty()) return planner.take();
  return unsupported(concat(planner.problem(), "; written: ", to_string(written),
                            "; wanted: ", to_string(schema),
                            "; give the field a new name, or restore its old type"));
}

}  // namespace millrace::detail
