// What each subtask of a job goes on from: a checkpoint's snapshots, given to those who own them
// under the plan that runs now. Pure functions of plan and metadata.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "millrace/core/result.h"
#include "millrace/plan/execution_plan.h"
#include "millrace/state/checkpoint_metadata.h"

namespace millrace::detail {

struct RestoredOperator {
  std::optional<Snapshot> snapshot;  // none of an operator that the checkpoint does not know
  std::vector<KeyedSnapshot> keyed;  // that overlap the subtask's key groups
};

struct RestoredTask {
  bool finished = false;                    // it had given all that it will ever give
  std::vector<RestoredOperator> operators;  // of the chain, in its order
  std::vector<StoredFile> in_flight;        // none or one
};

struct RestoredJob {
  CheckpointName checkpoint;
  std::vector<std::vector<RestoredTask>> tasks;   // by TaskId and subtask
  std::map<std::string, StatePiece> enumerators;  // by the source's name
};

// An error names every operator whose state nobody would get, unless that is allowed, and one whose
// number of key groups has changed. A checkpoint with records in flight is of use only to the plan
// and the parallelism that it was taken with.
Result<RestoredJob> restore_job(const ExecutionPlan& plan, const CheckpointMetadata& metadata,
                                bool allow_dropped_state);

}  // namespace millrace::detail
