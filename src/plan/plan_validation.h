// Whether a logical plan makes sense: names, connections, types and parallelism. Every message says
// which operator is wrong, what was expected and how to mend it, for it is the job's author who
// reads it. make_execution_plan() validates for itself.
#pragma once

#include <string>
#include <vector>

#include "millrace/core/result.h"
#include "millrace/plan/logical_plan.h"

namespace millrace::detail {

// The first thing that is wrong, as kInvalidArgument.
Status validate(const LogicalPlan& plan);

// What works, but is hardly meant: results that nobody reads, and unnamed state in a job that does
// not end by itself, and so will be changed and restored.
std::vector<std::string> warnings(const LogicalPlan& plan);

}  // namespace millrace::detail
