// All that keyed state needs, in memory and on one thread: for what tests operators.
#pragma once

#include "millrace/state/files/memory_checkpoint_store.h"
#include "millrace/state/keyed_backend.h"
#include "millrace/state/memory_store.h"
#include "millrace/state/state_environment.h"

namespace millrace::detail {

class MemoryEnvironment {
 public:
  MemoryEnvironment() = default;
  MemoryEnvironment(const MemoryEnvironment&) = delete;
  MemoryEnvironment& operator=(const MemoryEnvironment&) = delete;

  StateEnvironment& get() { return environment_; }

  // Takes a checkpoint of an operator's state, which may be null; what is opened next goes on from
  // it.
  Status take(KeyedBackend* state);

 private:
  MemoryStateStoreFactory stores_;
  MemoryCheckpointStore checkpoints_;
  InlineExecutor executor_;
  StateEnvironment environment_{
      .stores = &stores_, .checkpoints = &checkpoints_, .executor = &executor_};
  CheckpointName next_{CheckpointId(1), 1};
};

}  // namespace millrace::detail
