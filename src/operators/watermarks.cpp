#include "millrace/operators/watermarks.h"

#include <algorithm>

namespace millrace::detail {

WatermarkTracker::WatermarkTracker(std::size_t channels)
    : channels_(channels),
      least_(std::max<std::size_t>(2 * channels, 2), kMinTimestamp),
      active_(channels) {}

void WatermarkTracker::advance(std::size_t index, Timestamp watermark) {
  Channel& channel = channels_[index];
  if (channel.state == State::kEnded) return;
  const bool grows = watermark > channel.watermark;
  if (!grows && channel.state == State::kActive) return;
  if (grows) channel.watermark = watermark;
  if (channel.watermark == kMaxTimestamp) {
    ++at_max_;
    enter(channel, State::kEnded);
  } else {
    enter(channel, State::kActive);
  }
  place(index);
  raise();
}

void WatermarkTracker::mark_idle(std::size_t index) {
  if (channels_[index].state != State::kActive) return;
  enter(channels_[index], State::kIdle);
  place(index);
  raise();
}

void WatermarkTracker::finish(std::size_t index) {
  if (channels_[index].state == State::kEnded) return;
  enter(channels_[index], State::kEnded);
  place(index);
  raise();
}

void WatermarkTracker::enter(Channel& channel, State state) {
  if (channel.state == State::kActive) --active_;
  if (channel.state == State::kIdle) --idle_;
  if (state == State::kActive) ++active_;
  if (state == State::kIdle) ++idle_;
  channel.state = state;
}

// A channel that is behind, after it was idle, does not count yet.
void WatermarkTracker::place(std::size_t index) {
  const Channel& channel = channels_[index];
  const bool counts = channel.state == State::kActive && channel.watermark >= current_;
  std::size_t node = channels_.size() + index;
  least_[node] = counts ? channel.watermark : kMaxTimestamp;
  for (node /= 2; node > 0; node /= 2) {
    least_[node] = std::min(least_[2 * node], least_[2 * node + 1]);
  }
}

void WatermarkTracker::raise() {
  Timestamp reached = least_[1];
  if (at_max_ == channels_.size()) {
    reached = kMaxTimestamp;
  } else if (idle()) {
    reached = latest_of_idle();
  } else if (reached == kMaxTimestamp) {
    return;  // none counts
  }
  current_ = std::max(current_, reached);
}

Timestamp WatermarkTracker::latest_of_idle() const {
  Timestamp latest = kMinTimestamp;
  for (const Channel& channel : channels_) {
    if (channel.state == State::kIdle) latest = std::max(latest, channel.watermark);
  }
  return latest;
}

}  // namespace millrace::detail
