// Into which savepoint an operator instance writes its rows, and as whose.
#pragma once

#include <cstdint>
#include <memory>

#include "millrace/state/checkpoint_store.h"

namespace millrace::detail {

struct SavepointTarget {
  std::shared_ptr<CheckpointStore> store;
  std::uint64_t operator_id = 0;
  std::uint32_t subtask = 0;
};

}  // namespace millrace::detail
