#include "millrace/actors/batch_pool.h"

#include <typeinfo>

namespace millrace::detail {

BatchPool& BatchPool::of_this_thread() {
  thread_local BatchPool pool;
  return pool;
}

BatchPtr BatchPool::take(const AnyBatch& prototype) {
  std::vector<BatchPtr>& batches = batches_[typeid(prototype)];
  if (batches.empty()) return prototype.make_empty();
  BatchPtr batch = std::move(batches.back());
  batches.pop_back();
  return batch;
}

void BatchPool::put(BatchPtr batch) {
  if (!batch || !batch.unique()) return;
  std::vector<BatchPtr>& batches = batches_[typeid(*batch)];
  if (batches.size() >= kMost) return;
  batch->clear();
  batches.push_back(std::move(batch));
}

BatchPtr BatchPool::put_if_few(BatchPtr batch) {
  if (!batch || !batch.unique() || batches_[typeid(*batch)].size() >= kFew) return batch;
  put(std::move(batch));
  return {};
}

}  // namespace millrace::detail
