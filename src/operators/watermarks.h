// The watermark of an operator with several inputs: the least of its channels' watermarks. A
// channel that ended no longer counts. Emitted only when it grows.
#pragma once

#include <optional>
#include <vector>

#include "millrace/core/time.h"

namespace millrace::detail {

class WatermarkTracker {
 public:
  explicit WatermarkTracker(std::size_t channels) : channels_(channels, kMinTimestamp) {}

  // The operator's new watermark, if it grew.
  std::optional<Timestamp> update(std::size_t channel, Timestamp watermark);

  Timestamp current() const { return current_; }

 private:
  std::vector<Timestamp> channels_;
  Timestamp current_ = kMinTimestamp;
};

}  // namespace millrace::detail
