// A batch is the unit of everything: values, their timestamps and nothing else. Operators take and
// give whole batches, so that whatever is virtual, atomic or locked is paid once for a thousand
// records.
//
// A batch is recycled: clear() keeps the values constructed, and a later push() assigns into them,
// so that strings keep their buffers and a steady stream allocates nothing. What an emptied batch
// keeps is bounded by kKeptBytes; large records beyond it give their memory back. A batch has one
// owner at a time and no lock; a BatchPtr that is not unique() is read-only.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <typeinfo>
#include <utility>
#include <vector>

#include "millrace/core/records/footprint.h"
#include "millrace/core/time.h"

namespace millrace {

constexpr std::size_t kBatchRecords = 1'024;         // a full batch
constexpr std::size_t kBatchBytes = 256 * 1'024;     // or earlier, when records are large
constexpr std::size_t kKeptBytes = 2 * kBatchBytes;  // of heap, in an emptied batch
constexpr std::size_t kCacheBytes = 16 * 1'024;      // what is at hand between operators of a chain

}  // namespace millrace

namespace millrace::detail {

// What is common to batches of every type.
class AnyBatch {
 public:
  AnyBatch() = default;
  AnyBatch(const AnyBatch&) = delete;
  AnyBatch& operator=(const AnyBatch&) = delete;
  virtual ~AnyBatch() = default;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The payload's size, counting what records hold outside themselves.
  virtual std::size_t bytes() const = 0;

  // Of one record, not counting that.
  virtual std::size_t record_bytes() const = 0;
  virtual const std::type_info& record_type() const = 0;

  // The first record; they lie record_bytes() apart.
  virtual const void* data() const = 0;

  // Timestamps are there for every record or for none.
  bool stamped() const { return !timestamps_.empty(); }
  Timestamp timestamp(std::size_t row) const {
    return stamped() ? timestamps_[row] : kMinTimestamp;
  }
  std::span<const Timestamp> timestamps() const { return timestamps_; }

  // Gives timestamps to records that were added without.
  void stamp(Timestamp timestamp) { timestamps_.push_back(timestamp); }
  void stamp(std::span<const Timestamp> timestamps);
  // A timestamp for every record, to be assigned by the caller.
  std::span<Timestamp> stamps() {
    timestamps_.resize(size_);
    return timestamps_;
  }
  // Before records with (or without) timestamps join those that are here: all have one, or none.
  void match_stamps(bool stamped);
  // After records without timestamps have joined those that are here.
  void pad_stamps();

  virtual void clear() = 0;

  // Appends the rows from `begin` up to `end` of a batch of the same type; moves them if `take`.
  virtual void append(AnyBatch& from, std::size_t begin, std::size_t end, bool take) = 0;

  // Adds `count` records to be assigned by the caller, who then calls account_for(count).
  virtual void* add_rows(std::size_t count) = 0;
  virtual void account_for(std::size_t last) = 0;

  // A new batch of the same type.
  virtual class BatchPtr make_empty() const = 0;

 protected:
  std::size_t size_ = 0;
  std::vector<Timestamp> timestamps_;

 private:
  friend class BatchPtr;
  std::atomic<std::uint32_t> references_{0};
};

// Counts the owners of a batch; the one counter keeps a message to the size of a pointer.
class BatchPtr {
 public:
  BatchPtr() = default;
  explicit BatchPtr(AnyBatch* batch) : batch_(batch) { retain(); }
  BatchPtr(const BatchPtr& other) : batch_(other.batch_) { retain(); }
  BatchPtr(BatchPtr&& other) noexcept : batch_(std::exchange(other.batch_, nullptr)) {}
  BatchPtr& operator=(BatchPtr other) noexcept {
    std::swap(batch_, other.batch_);
    return *this;
  }
  ~BatchPtr() {
    if (batch_ && batch_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete batch_;
  }

  explicit operator bool() const { return batch_ != nullptr; }
  AnyBatch& operator*() const { return *batch_; }
  AnyBatch* operator->() const { return batch_; }

  // Only a sole owner may change a batch.
  bool unique() const { return batch_->references_.load(std::memory_order_acquire) == 1; }

 private:
  void retain() {
    if (batch_) batch_->references_.fetch_add(1, std::memory_order_relaxed);
  }

  AnyBatch* batch_ = nullptr;
};

template <class T>
class Batch final : public AnyBatch {
  static_assert(std::is_default_constructible_v<T>,
                "Millrace: a record must be default-constructible, since batches are recycled and "
                "decoding assigns into existing records; give its members default values");

 public:
  std::span<const T> values() const { return {values_.get(), size_}; }
  std::span<T> values() { return {values_.get(), size_}; }

  std::size_t bytes() const override { return size_ * sizeof(T) + heap_bytes_; }
  std::size_t record_bytes() const override { return sizeof(T); }
  const std::type_info& record_type() const override { return typeid(T); }
  const void* data() const override { return values_.get(); }

  void push(T&& value) {
    heap_bytes_ += heap_footprint(value);
    slot() = std::move(value);
    ++size_;
  }
  void push(const T& value) {
    heap_bytes_ += heap_footprint(value);
    slot() = value;
    ++size_;
  }
  template <class V>
  void push(V&& value, Timestamp timestamp) {
    push(std::forward<V>(value));
    stamp(timestamp);
  }

  // Calls fill(T&) on the next record, which holds what an earlier batch left in it.
  template <class Fill>
  void fill(Fill&& fill) {
    T& record = slot();
    fill(record);
    heap_bytes_ += heap_footprint(record);
    ++size_;
  }

  // The same, but the record is only added if fill(T&) returns true.
  template <class Fill>
  bool fill_if(Fill&& fill) {
    T& record = slot();
    if (!fill(record)) {
      kept_ += kGrowth * heap_footprint(record);
      return false;
    }
    heap_bytes_ += heap_footprint(record);
    ++size_;
    return true;
  }

  // Adds `count` records to be assigned by the caller, who then calls account_for(count).
  T* extend(std::size_t count) {
    if (capacity_ < size_ + count) grow(std::max(size_ + count, 2 * capacity_));
    return values_.get() + std::exchange(size_, size_ + count);
  }
  void* add_rows(std::size_t count) override { return extend(count); }
  void account_for(std::size_t last) override {
    if constexpr (kHasHeap<T>) {
      for (std::size_t row = size_ - last; row < size_; ++row) {
        heap_bytes_ += heap_footprint(values_[row]);
      }
    }
  }
  // Gives back the last `count` records of extend().
  void shrink(std::size_t count) { size_ -= count; }

  void clear() override {
    if constexpr (kHasHeap<T>) bound_kept();
    size_ = 0;
    heap_bytes_ = 0;
    timestamps_.clear();
  }

  void append(AnyBatch& from, std::size_t begin, std::size_t end, bool take) override {
    auto& source = static_cast<Batch&>(from);
    match_stamps(source.stamped());
    T* to = extend(end - begin);
    if (take) {
      std::move(source.values_.get() + begin, source.values_.get() + end, to);
    } else if constexpr (std::is_copy_assignable_v<T>) {
      std::copy(source.values_.get() + begin, source.values_.get() + end, to);
    } else {
      check(false, "a batch of move-only records was shared");
    }
    account_for(end - begin);
    if (source.stamped()) {
      stamp(source.timestamps().subspan(begin, end - begin));
    } else {
      pad_stamps();
    }
  }

  BatchPtr make_empty() const override { return BatchPtr(new Batch); }

 private:
  static constexpr std::size_t kGrowth = 2;  // a string's buffer to what was written into it
  // Moves swap buffers with other batches, uncounted: so the records are looked at now and then.
  static constexpr std::size_t kSwapped = 16;

  // The records are looked at only once so much was written that they may hold too much. Those that
  // hold more than their share lose their buffers; the others are not at fault, and keep theirs.
  void bound_kept() {
    kept_ += kGrowth * heap_bytes_ + kSwapped * size_;
    if (kept_ <= kKeptBytes) return;
    kept_ = reserved();
    if (kept_ <= kKeptBytes) return;
    const std::size_t share = kKeptBytes / capacity_;
    for (std::size_t row = 0; row < capacity_; ++row) {
      T& record = values_[row];
      if (heap_footprint<HeapBytes::kReserved>(record) <= share) continue;
      std::destroy_at(&record);  // assigned to, a string would keep its buffer
      std::construct_at(&record);
    }
    kept_ = reserved();
  }

  std::size_t reserved() const {
    std::size_t bytes = 0;
    for (std::size_t row = 0; row < capacity_; ++row) {
      bytes += heap_footprint<HeapBytes::kReserved>(values_[row]);
    }
    return bytes;
  }

  T& slot() {
    if (size_ == capacity_) [[unlikely]]
      grow(capacity_ == 0 ? 16 : 2 * capacity_);
    return values_[size_];
  }

  // Buffers of whole pages would all begin at the same place in a page, and a core takes a load for
  // one that depends on an earlier store when only their places in the page are the same.
  void grow(std::size_t capacity) {
    if (capacity * sizeof(T) >= kPage) capacity += kStagger / sizeof(T) + 1;
    std::unique_ptr<T[]> larger(new T[capacity]);
    std::move(values_.get(), values_.get() + capacity_, larger.get());
    values_ = std::move(larger);
    capacity_ = capacity;
  }

  static constexpr std::size_t kPage = 4'096;
  static constexpr std::size_t kStagger = 640;

  std::unique_ptr<T[]> values_;  // all constructed: those beyond size_ wait for their next use
  std::size_t capacity_ = 0;
  std::size_t heap_bytes_ = 0;
  std::size_t kept_ = 0;  // what values_ may have held when the batch was last cleared, at most
};

template <class T>
BatchPtr make_batch() {
  return BatchPtr(new Batch<T>);
}

}  // namespace millrace::detail
