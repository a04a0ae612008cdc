#include "millrace/testing/captured.h"

namespace millrace::detail {

void Captured::stage(const Transaction& transaction, BatchPtr records) {
  staged_.insert_or_assign({transaction.subtask, transaction.checkpoint}, std::move(records));
}

void Captured::show(const Transaction& transaction) {
  const auto found = staged_.find({transaction.subtask, transaction.checkpoint});
  if (found == staged_.end()) return;  // shown before
  BatchPtr& shown = shown_[transaction.subtask];
  if (!shown) shown = found->second->make_empty();
  shown->append(*found->second, 0, found->second->size(), true);
  staged_.erase(found);
}

std::vector<BatchPtr> Captured::shown() const {
  std::vector<BatchPtr> batches;
  for (const auto& [subtask, batch] : shown_) batches.push_back(batch);
  return batches;
}

Result<Progress> CapturingSink::process(std::uint32_t, Cursor& in, Outputs&) {
  if (Status begun = ready(); !begun) return begun.error();
  if (!pending_) pending_ = in.batch->make_empty();
  pending_->append(*in.batch, in.next, in.batch->size(), !in.shared);
  in.next = in.batch->size();
  return Progress::kDone;
}

Result<bool> CapturingSink::stage(const Transaction& transaction) {
  if (!pending_) return false;
  captured_->stage(transaction, std::exchange(pending_, {}));
  return true;
}

Status CapturingSink::publish(const Transaction& transaction) {
  captured_->show(transaction);
  return {};
}

}  // namespace millrace::detail
