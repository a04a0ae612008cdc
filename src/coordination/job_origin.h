// What a job that is about to begin goes on from, for whoever must know that before: its key groups
// cannot change, and whether it fits is better known while the job still runs as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "millrace/core/result.h"
#include "millrace/plan/execution_settings.h"
#include "millrace/plan/logical_plan.h"
#include "millrace/state/checkpoint_metadata.h"

namespace millrace::detail {

// Nothing if it begins with nothing. The job's record is read, and claimed by nobody. Blocks.
Result<std::optional<CheckpointMetadata>> read_origin(const ExecutionSettings& settings,
                                                      const std::string& job);

// Into how many key groups the plan's keyed state was divided, as far as its operators leave that
// to the plan; 0: there is none.
std::uint32_t key_groups_of(const LogicalPlan& plan, const CheckpointMetadata& origin);

}  // namespace millrace::detail
