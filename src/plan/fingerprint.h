// Whether two processes mean the same job. The coordinator's plan and the one that a job process
// gets from running its job function again must agree on operators, edges, types and keys; they may
// differ in what is settled at submission: the job's name, mode, parallelism, key groups, chaining
// and slot sharing groups. Neither depends on the order of operators and edges. The edges must join
// operators of the plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "millrace/plan/logical_plan.h"

namespace millrace::detail {

// 16 hex digits. Equal exactly if first_difference() finds nothing, hash collisions aside.
std::string fingerprint(const LogicalPlan& plan);
// The number that the digits stand for.
std::uint64_t fingerprint_number(const LogicalPlan& plan);

// A sentence that names the operator and what differs, with what the job has and what was expected.
std::optional<std::string> first_difference(const LogicalPlan& expected, const LogicalPlan& actual);

}  // namespace millrace::detail
