#include "millrace/connectors/values/sequence.h"

#include <algorithm>

namespace millrace::detail {
namespace {

// Unsigned, so that a range over all integers does not overflow.
std::int64_t advanced(std::int64_t from, std::uint64_t by) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + by);
}

void fill_consecutive(std::int64_t* to, std::int64_t first, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = advanced(first, i);
}

}  // namespace

Result<std::vector<SequenceSplit>> SequenceSource::discover(std::uint32_t parallelism) {
  std::vector<SequenceSplit> splits;
  if (last_ < first_) return splits;
  std::uint64_t left = static_cast<std::uint64_t>(last_) - static_cast<std::uint64_t>(first_);
  if (left < UINT64_MAX) ++left;  // all 2^64 integers: the last one does not fit the count
  std::int64_t next = first_;
  for (std::uint64_t parts = parallelism; parts > 0 && left > 0; --parts) {
    const std::uint64_t count = left / parts + (left % parts == 0 ? 0 : 1);
    splits.push_back({.next = next, .count = count});
    next = advanced(next, count);
    left -= count;
  }
  return splits;
}

Result<Poll> SequenceSource::poll(SequenceSplit& split, Collector<std::int64_t>& out) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(split.count, out.room()));
  out.emit_range(count, [&](std::int64_t* to) { fill_consecutive(to, split.next, count); });
  split.next = advanced(split.next, count);
  split.count -= count;
  return split.count == 0 ? Poll::end() : Poll::more();
}

}  // namespace millrace::detail

namespace millrace {

SourceSpec<std::int64_t> sequence(std::int64_t first, std::int64_t last) {
  SourceSpec<std::int64_t> spec = source<detail::SequenceSource>(first, last);
  spec.kind = "sequence";
  return spec;
}

}  // namespace millrace
