// An execution plan for people, as `--plan` prints it, and for programs. docs/reference/plan.md
// describes both forms.
#pragma once

#include <string>

#include "millrace/plan/execution_plan.h"

namespace millrace::detail {

// A line about the job, then a block for each task: its operators as a tree with their kind, state
// and type, and the edges that leave it. Ends with a line break.
std::string to_text(const ExecutionPlan& plan);

// One JSON object, its members in a fixed order.
std::string to_json(const ExecutionPlan& plan);

}  // namespace millrace::detail
