#include "millrace/state/evicted_rows.h"

#include <algorithm>

#include "millrace/core/records/hash.h"
#include "millrace/state/table_memory.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kLearnedAtOnce = 512;  // rows, at least
constexpr std::size_t kMostWords = std::size_t{1} << 30;

}  // namespace

EvictedRows::~EvictedRows() { release(words_, bytes()); }

void EvictedRows::set_range(std::uint64_t first, std::uint64_t end) {
  first_ = first;
  end_ = end;
  known_to_ = end;
}

// Four bits of a word. With ten bits for each row one in thirty answers is wrong.
std::uint64_t EvictedRows::bits_of(std::uint64_t upper) {
  const std::uint64_t mixed = mix64(upper);
  std::uint64_t bits = 0;
  for (int i = 0; i < 4; ++i) bits |= std::uint64_t{1} << (mixed >> (6 * i) & 63);
  return bits;
}

void EvictedRows::make_words() {
  count_ = std::min({limit_, kMostWords, static_cast<std::size_t>(end_ - first_)});
  if (count_ == 0) return forget();
  scale_ = (static_cast<std::uint64_t>(count_) << 32) / (end_ - first_);
  words_ = static_cast<std::uint64_t*>(allocate_zeroed(count_ * sizeof *words_));
}

std::size_t EvictedRows::worth_learning() const {
  if (known_to_ >= end_ || limit_ == 0 || in_vain_ < kLearnedAtOnce) return 0;
  return in_vain_;
}

void EvictedRows::learned_to(std::uint64_t upper) {
  if (limit_ == 0) return;
  known_to_ = upper;
  in_vain_ = 0;
}

}  // namespace millrace::detail
