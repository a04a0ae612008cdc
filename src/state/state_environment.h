// What an operator's keyed state is given by whoever runs the task: where it may be written, how
// much memory it may take, and what it goes on from.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "millrace/core/executor.h"
#include "millrace/state/checkpoint_metadata.h"
#include "millrace/state/state_store.h"

namespace millrace::detail {

struct StateEnvironment {
  StateStoreFactory* stores = nullptr;  // null: the state lives in memory only
  CheckpointStore* checkpoints = nullptr;
  Executor* executor = nullptr;              // for all that blocks
  std::size_t memory = 0;                    // bytes; 0: no limit
  std::vector<KeyedSnapshot> restored = {};  // of this operator, as far as they overlap its groups
  std::shared_ptr<CheckpointStore> origin = {};  // where that lies; null: among the checkpoints
};

}  // namespace millrace::detail
