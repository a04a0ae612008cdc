// Emptied batches for reuse, those of one thread: what a task has just read is in the cache of its
// core. Whoever runs there next writes into that, and not into memory that another core holds.
#pragma once

#include <typeindex>
#include <unordered_map>
#include <vector>

#include "millrace/core/records/batch.h"

namespace millrace::detail {

class BatchPool {
 public:
  static BatchPool& of_this_thread();

  // A batch of the prototype's type: the one that came last, or a new one.
  BatchPtr take(const AnyBatch& prototype);

  // Keeps the batch, emptied, if nobody else has it and there is room.
  void put(BatchPtr batch);

  // The receiver's choice: keeps the batch while the thread has few of its type, and gives back the
  // others, for the sender's thread may be without.
  BatchPtr put_if_few(BatchPtr batch);

 private:
  static constexpr std::size_t kFew = 16;
  static constexpr std::size_t kMost = 64;

  std::unordered_map<std::type_index, std::vector<BatchPtr>> batches_;
};

}  // namespace millrace::detail
