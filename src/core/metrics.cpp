#include "millrace/core/metrics.h"

#include <cmath>

namespace millrace {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

std::int64_t Histogram::middle_of(std::size_t bucket) {
  constexpr std::size_t kPerPower = std::size_t{1} << kBits;
  if (bucket < 2 * kPerPower) return static_cast<std::int64_t>(bucket);
  const std::size_t shift = bucket / kPerPower - 1;
  const std::uint64_t lowest = (bucket - (shift << kBits)) << shift;
  return static_cast<std::int64_t>(lowest + (std::uint64_t{1} << shift) / 2);
}

void Histogram::merge(const Snapshot& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    counts_[i].store(counts_[i].load(kRelaxed) + other.counts_[i], kRelaxed);
  }
  sum_.store(sum_.load(kRelaxed) + other.sum_, kRelaxed);
  min_.store(std::min(min_.load(kRelaxed), other.min_), kRelaxed);
  max_.store(std::max(max_.load(kRelaxed), other.max_), kRelaxed);
}

void Histogram::reset() {
  for (std::atomic<std::uint64_t>& count : counts_) count.store(0, kRelaxed);
  sum_.store(0, kRelaxed);
  min_.store(std::numeric_limits<std::int64_t>::max(), kRelaxed);
  max_.store(0, kRelaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot result;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    result.counts_[i] = counts_[i].load(kRelaxed);
    result.count_ += result.counts_[i];
  }
  result.sum_ = sum_.load(kRelaxed);
  result.min_ = min_.load(kRelaxed);
  result.max_ = max_.load(kRelaxed);
  // The writer may be between counting its first value and noting it as the least.
  if (result.count_ > 0) result.min_ = std::min(result.min_, result.max_);
  return result;
}

std::int64_t Histogram::Snapshot::quantile(double q) const {
  const double wanted = std::ceil(q * static_cast<double>(count_));
  if (wanted <= 1) return min();
  if (wanted >= static_cast<double>(count_)) return max();
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (static_cast<double>(seen) >= wanted) return std::clamp(middle_of(i), min_, max_);
  }
  return max_;
}

void Histogram::Snapshot::merge(const Snapshot& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

}  // namespace millrace
