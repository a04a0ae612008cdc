// sequence(first, last): the integers from `first` up to and with `last`. Bounded and parallel:
// each subtask counts through a range of its own, and what is left of it is its state. Nothing
// where last < first.
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/operators/endpoints.h"

namespace millrace::detail {

// What is left of a range.
struct SequenceSplit {
  std::int64_t next = 0;
  std::uint64_t count = 0;

  friend bool operator==(const SequenceSplit&, const SequenceSplit&) = default;
};

class SequenceSource final : public SplitSource<std::int64_t, SequenceSplit> {
 public:
  static constexpr bool kBounded = true;

  SequenceSource(std::int64_t first, std::int64_t last) : first_(first), last_(last) {}

  Result<std::vector<SequenceSplit>> discover(std::uint32_t parallelism) override;
  Status open_split(const SequenceSplit&) override { return {}; }
  Result<Poll> poll(SequenceSplit& split, Collector<std::int64_t>& out) override;

 private:
  std::int64_t first_;
  std::int64_t last_;
};

}  // namespace millrace::detail

namespace millrace {

SourceSpec<std::int64_t> sequence(std::int64_t first, std::int64_t last);

}  // namespace millrace
