// What a task must know of a savepoint before its checkpoint comes.
#pragma once

#include <memory>

#include "millrace/core/ids.h"
#include "millrace/state/checkpoint_store.h"

namespace millrace::detail {

struct SavepointNotice {
  CheckpointId checkpoint;
  std::shared_ptr<CheckpointStore> store;
  bool stops = false;  // sources read no more behind it
};

}  // namespace millrace::detail
