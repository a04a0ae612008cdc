// The regions of a job: tasks that channels connect, which fail and restart together.
#pragma once

#include <cstddef>
#include <vector>

#include "millrace/plan/execution_plan.h"

namespace millrace::detail {

// The region of each task, by TaskId; numbered from 0 in the order of their first tasks.
std::vector<std::size_t> regions_of(const ExecutionPlan& plan);

}  // namespace millrace::detail
