// The rows of a range as they are when the scan begins: those of the database, and what the writer
// was given since, which is newer.
#pragma once

#include <memory>
#include <utility>

#include "millrace/state/row_buffer.h"
#include "millrace/state/state_writer.h"

namespace millrace::detail {

class RowScan {
 public:
  RowScan(RowBuffer::Changes unwritten, std::shared_ptr<const StateWriter> writer,
          std::string_view first, std::string_view end)
      : unwritten_(std::move(unwritten)), next_(unwritten_.begin()), writer_(std::move(writer)) {
    if (StateStore* const store = writer_->store()) stored_ = store->scan(first, end);
    step_stored();
  }
  RowScan(const RowScan&) = delete;
  RowScan& operator=(const RowScan&) = delete;

  // Moves to the next row, the first one at first; false at the end.
  Result<bool> next() {
    for (;;) {
      if (std::exchange(at_stored_, false)) step_stored();
      if (std::exchange(at_unwritten_, false)) ++next_;
      const bool unwritten = next_ != unwritten_.end();
      if (!unwritten && !has_stored_) return end();
      at_unwritten_ = unwritten && (!has_stored_ || next_->first <= stored_->key());
      at_stored_ = has_stored_ && (!at_unwritten_ || next_->first == stored_->key());
      if (!at_unwritten_ || next_->second) return true;  // else it was removed
    }
  }
  std::string_view key() const { return at_unwritten_ ? next_->first : stored_->key(); }
  std::string_view value() const { return at_unwritten_ ? *next_->second : stored_->value(); }

 private:
  void step_stored() { has_stored_ = stored_ != nullptr && stored_->next(); }
  Result<bool> end() const {
    Status status = stored_ ? stored_->status() : Status();
    if (!status) return status.error();
    return false;
  }

  const RowBuffer::Changes unwritten_;
  RowBuffer::Changes::const_iterator next_;
  const std::shared_ptr<const StateWriter> writer_;  // and with it the store
  std::unique_ptr<StateScan> stored_;
  bool has_stored_ = false;
  bool at_stored_ = false;  // the row is that of both, where both are true
  bool at_unwritten_ = false;
};

}  // namespace millrace::detail
