#include "millrace/operators/watermarks.h"

#include <algorithm>

namespace millrace::detail {

std::optional<Timestamp> WatermarkTracker::update(std::size_t channel, Timestamp watermark) {
  Timestamp& last = channels_[channel];
  if (watermark <= last) return std::nullopt;
  const bool may_raise = last == current_;
  last = watermark;
  if (!may_raise) return std::nullopt;
  const Timestamp least = *std::min_element(channels_.begin(), channels_.end());
  if (least <= current_) return std::nullopt;
  current_ = least;
  return least;
}

}  // namespace millrace::detail
