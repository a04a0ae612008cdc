#include "millrace/plan/logical_plan.h"

#include <algorithm>

#include "millrace/core/hash.h"
#include "millrace/core/text.h"

namespace millrace::detail {

OperatorId operator_id(std::string_view name) { return OperatorId(hash_text(name)); }

const OperatorSpec* find_operator(const LogicalPlan& plan, OperatorId id) {
  const auto found = std::ranges::find(plan.operators, id, &OperatorSpec::id);
  return found == plan.operators.end() ? nullptr : &*found;
}

std::string describe(const OperatorSpec& spec) {
  return concat("operator ", in_quotes(spec.name), " (", spec.kind, ')');
}

std::uint32_t parallelism_of(const LogicalPlan& plan, const OperatorSpec& spec) {
  return spec.single ? 1 : spec.parallelism.value_or(plan.parallelism);
}

Mode resolve_mode(const LogicalPlan& plan) {
  if (plan.mode != Mode::kAutomatic) return plan.mode;
  const bool bounded = std::ranges::all_of(
      plan.operators, [](const OperatorSpec& spec) { return !spec.source || spec.bounded; });
  return bounded ? Mode::kBatch : Mode::kStreaming;
}

std::string_view to_string(Exchange exchange) {
  switch (exchange) {
    case Exchange::kForward:
      return "forward";
    case Exchange::kRebalance:
      return "rebalance";
    case Exchange::kRescale:
      return "rescale";
    case Exchange::kRandom:
      return "random";
    case Exchange::kBroadcast:
      return "broadcast";
    case Exchange::kGlobal:
      return "global";
    case Exchange::kKeyed:
      return "keyed";
    case Exchange::kCustom:
      return "custom";
  }
  return "unknown";
}

std::string to_hex(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value >>= 4) {
    *digit = kDigits[value & 15];
  }
  return text;
}

}  // namespace millrace::detail
