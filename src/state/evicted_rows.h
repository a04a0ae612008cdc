// Which keys the database may have rows of that are not in memory: a Bloom filter of the upper
// halves of their hashes, so that a new key does not ask the database in vain. What it does not
// know may always be there; it never says no of a row that is.
//
// Rows enter it when they are evicted. Those that a restored database brings are unknown at first,
// and learned in the order of their hashes, as far as they are worth it: reading one row costs
// about what asking in vain does, so questions in vain pay for it.
//
// Its size is fixed when the first row enters: with many more rows than it was made for it says
// "maybe" more often. Rows that come back, or go, stay in it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::detail {

class EvictedRows {
 public:
  EvictedRows() = default;
  EvictedRows(const EvictedRows&) = delete;
  EvictedRows& operator=(const EvictedRows&) = delete;
  ~EvictedRows();

  // Before the first row: how many bytes it may take once it is needed. Without any it knows
  // nothing.
  void limit(std::size_t bytes) { limit_ = bytes / sizeof *words_; }
  // The upper halves of hashes are from `first` up to `end`; of others it knows nothing.
  void set_range(std::uint64_t first, std::uint64_t end);
  // There are rows that it was not told of.
  void forget() { known_to_ = first_; }

  bool may_have(std::uint64_t hash) const {
    const std::uint64_t upper = hash >> 32;
    if (upper - first_ >= known_to_ - first_) return true;
    return words_ != nullptr && (~words_[word_of(upper)] & bits_of(upper)) == 0;
  }
  void add(std::uint64_t hash) { add_upper(hash >> 32); }

  // Somebody asked the database in vain.
  void count_in_vain(std::size_t times) { in_vain_ += times; }
  // How many rows are worth learning now, with hashes from known_to() on.
  std::size_t worth_learning() const;
  std::uint64_t known_to() const { return known_to_; }
  void learn(std::uint64_t upper) { add_upper(upper); }
  // All rows with hashes below were learned.
  void learned_to(std::uint64_t upper);

  std::size_t bytes() const { return words_ == nullptr ? 0 : count_ * sizeof *words_; }

 private:
  void add_upper(std::uint64_t upper) {
    if (upper - first_ >= end_ - first_) return;
    if (words_ == nullptr) make_words();
    if (words_ != nullptr) words_[word_of(upper)] |= bits_of(upper);
  }
  // Neighbours in the order of hashes are neighbours here: eviction goes by their ranges.
  std::size_t word_of(std::uint64_t upper) const { return ((upper - first_) * scale_) >> 32; }
  static std::uint64_t bits_of(std::uint64_t upper);
  void make_words();

  std::uint64_t first_ = 0;
  std::uint64_t end_ = std::uint64_t{1} << 32;
  std::uint64_t known_to_ = end_;
  std::uint64_t scale_ = 0;
  std::size_t limit_ = 0;  // in words
  std::size_t count_ = 0;
  std::uint64_t* words_ = nullptr;
  std::size_t in_vain_ = 0;
};

}  // namespace millrace::detail
