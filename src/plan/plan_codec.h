// Plans as bytes: a Cap'n Proto message of schemas/plan.capnp, in its unpacked stream framing.
// Encoding one plan gives the same bytes each time. Decoding takes bytes from anywhere: what is
// malformed or too large is kCorruption, what is of another format version is kUnsupported.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/core/result.h"
#include "millrace/plan/execution_plan.h"
#include "millrace/plan/logical_plan.h"

namespace millrace::detail {

inline constexpr std::uint16_t kPlanFormat = 3;
inline constexpr std::size_t kMaxPlanBytes = 64u << 20;

std::string encode(const LogicalPlan& plan);
std::string encode(const ExecutionPlan& plan);

// Well formed, its edges join operators that it has, but not validated: make_execution_plan() does
// that.
Result<LogicalPlan> decode_logical_plan(std::string_view bytes);

// Validated, so that its ids and positions may be followed.
Result<ExecutionPlan> decode_execution_plan(std::string_view bytes);

}  // namespace millrace::detail
