// Metrics that cost a few nanoseconds: no lock, no locked instruction, no allocation.
//
// Each has one writer thread, which updates it by plain relaxed loads and stores; any thread may
// read at any time. A reader sees each number whole, but different numbers of a moment apart.
// They are neither copied nor moved: hold those of one writer together, apart from another's, or
// the two threads fight over a cache line. A Snapshot is a value, for reporting and for merging.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace millrace {

// Only ever grows.
class Counter {
 public:
  void increment(std::uint64_t by = 1) {
    count_.store(count_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> count_{0};
};

// The latest of a value that goes up and down.
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t by) { set(value() + by); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// The distribution of values from 0 to 2^63 - 1; a negative one counts as 0. Values up to 63 are
// exact; above, each power of two is cut into 32 buckets, so that a quantile is off by at most
// 1/64 of itself. 15 KB, whatever is recorded.
class Histogram {
 public:
  class Snapshot;

  void record(std::int64_t value) { record_times(value, 1); }
  void record_times(std::int64_t value, std::uint64_t times);  // times is not 0
  void merge(const Snapshot& other);
  void reset();

  Snapshot snapshot() const;

 private:
  static constexpr std::size_t kBits = 5;  // 2^5 buckets for a power of two
  static constexpr std::size_t kBuckets = (64 - kBits) << kBits;

  static constexpr std::size_t bucket_of(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    const std::uint64_t exact = (std::uint64_t{2} << kBits) - 1;  // up to here, shift is 0
    const auto shift = static_cast<std::size_t>(std::bit_width(bits | exact)) - kBits - 1;
    return (shift << kBits) + (bits >> shift);
  }
  // The middle of a bucket's values.
  static std::int64_t middle_of(std::size_t bucket);

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<double> sum_{0};
  std::atomic<std::int64_t> min_{std::numeric_limits<std::int64_t>::max()};
  std::atomic<std::int64_t> max_{0};
};

// What a histogram held at a moment. While nothing was recorded, every figure is 0.
class Histogram::Snapshot {
 public:
  std::uint64_t count() const { return count_; }
  std::int64_t min() const { return count_ == 0 ? 0 : min_; }
  std::int64_t max() const { return max_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

  // The value that a share `q` of all values, from 0 to 1, does not exceed: quantile(0.99).
  std::int64_t quantile(double q) const;

  void merge(const Snapshot& other);

  friend bool operator==(const Snapshot&, const Snapshot&) = default;

 private:
  friend class Histogram;

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(kBuckets);
  std::uint64_t count_ = 0;
  double sum_ = 0;
  std::int64_t min_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t max_ = 0;
};

inline void Histogram::record_times(std::int64_t value, std::uint64_t times) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  value = std::max<std::int64_t>(value, 0);
  std::atomic<std::uint64_t>& count = counts_[bucket_of(value)];
  count.store(count.load(kRelaxed) + times, kRelaxed);
  sum_.store(sum_.load(kRelaxed) + static_cast<double>(value) * static_cast<double>(times),
             kRelaxed);
  if (value < min_.load(kRelaxed)) [[unlikely]]
    min_.store(value, kRelaxed);
  if (value > max_.load(kRelaxed)) [[unlikely]]
    max_.store(value, kRelaxed);
}

}  // namespace millrace
