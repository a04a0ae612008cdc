// Where a user's function puts its results: emit() as often as needed. Each result takes the
// timestamp of the record that it comes from.
#pragma once

#include "millrace/core/records/batch.h"

namespace millrace {

template <class T>
class Collector {
 public:
  explicit Collector(detail::Batch<T>& out, std::size_t limit = kBatchRecords)
      : out_(&out), limit_(limit) {}

  void emit(T&& value) {
    out_->push(std::move(value));
    if (stamped_) out_->stamp(timestamp_);
  }
  void emit(const T& value) {
    out_->push(value);
    if (stamped_) out_->stamp(timestamp_);
  }

  // Lets fill(T&) write the next result in place; it finds there what an earlier one left behind,
  // so that strings and vectors keep their buffers.
  template <class Fill>
  void emit_with(Fill&& fill) {
    out_->fill(fill);
    if (stamped_) out_->stamp(timestamp_);
  }

  // The same for a result that may turn out to be none: it counts only if fill(T&) returns true.
  template <class Fill>
  bool emit_if(Fill&& fill) {
    if (!out_->fill_if(fill)) return false;
    if (stamped_) out_->stamp(timestamp_);
    return true;
  }

  // Lets fill(T*) write `count` results at once.
  template <class Fill>
  void emit_range(std::size_t count, Fill&& fill) {
    fill(out_->extend(count));
    out_->account_for(count);
    if (stamped_) {
      for (std::size_t i = 0; i < count; ++i) out_->stamp(timestamp_);
    }
  }

  // How many more results make a batch.
  std::size_t room() const { return out_->size() < limit_ ? limit_ - out_->size() : 0; }

  // Whether a batch's worth of results is there: a source stops and is polled again.
  bool full() const { return out_->size() >= limit_ || out_->bytes() >= kBatchBytes; }

  // For the engine: what the next results are stamped with.
  void set_timestamp(Timestamp timestamp) {
    stamped_ = true;
    timestamp_ = timestamp;
  }

 private:
  detail::Batch<T>* out_;
  std::size_t limit_;
  bool stamped_ = false;
  Timestamp timestamp_ = kMinTimestamp;
};

}  // namespace millrace
