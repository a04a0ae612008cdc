// What a task begins with.
#pragma once

#include <optional>

#include "millrace/coordination/job_restore.h"
#include "millrace/core/ids.h"
#include "millrace/core/mode.h"
#include "millrace/plan/execution_settings.h"
#include "millrace/state/savepoint/savepoint_stores.h"
#include "millrace/state/state_environment.h"

namespace millrace::detail {

struct TaskStart {
  std::uint64_t epoch = 0;
  CheckpointMode mode = CheckpointMode::kExactlyOnce;
  StateEnvironment state = {};             // of each operator, but for what that goes on from
  SavepointStores* savepoints = nullptr;   // null: there are none
  std::optional<CheckpointId> checkpoint;  // that it goes on from
  RestoredTask restored;
};

}  // namespace millrace::detail
