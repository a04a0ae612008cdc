#include "millrace/plan/logical_plan.h"

#include <algorithm>

#include "millrace/core/records/hash.h"
#include "millrace/core/text.h"

namespace millrace::detail {

OperatorId operator_id(std::string_view name) { return OperatorId(hash_text(name)); }

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
  constexpr std::string_view kWords[] = {"forward",   "rebalance", "rescale", "random",
                                         "broadcast", "global",    "keyed",   "custom"};
  return kWords[static_cast<std::size_t>(exchange)];
}

std::string to_hex(std::uint64_t value) {
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value >>= 4) {
    *digit = kHexDigits[value & 15];
  }
  return text;
}

}  // namespace millrace::detail
