// The event time of a task with several input channels: the least of their watermarks. It grows
// only, and does not count
//
//   idle channels, whose sender has had no records for a while;
//   channels that were idle and are still behind: they count again once they have caught up;
//   channels that ended, with the last watermark or without.
//
// When only idle channels are left the time is the latest of theirs, and the task is idle itself.
// The last watermark, kMaxTimestamp, comes out once it has come in on every channel.
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/core/time.h"

namespace millrace::detail {

class WatermarkTracker {
 public:
  explicit WatermarkTracker(std::size_t channels);

  // Any watermark ends a channel's idleness, also one that is no later than the last.
  void advance(std::size_t channel, Timestamp watermark);
  void mark_idle(std::size_t channel);
  void finish(std::size_t channel);

  Timestamp current() const { return current_; }
  bool idle() const { return idle_ > 0 && active_ == 0; }

 private:
  enum class State : std::uint8_t { kActive, kIdle, kEnded };
  struct Channel {
    Timestamp watermark = kMinTimestamp;
    State state = State::kActive;
  };

  void enter(Channel& channel, State state);
  void place(std::size_t channel);
  void raise();
  Timestamp latest_of_idle() const;

  std::vector<Channel> channels_;
  // A tree: the least of each pair stands above it, so that the least of all is least_[1]. The leaf
  // of a channel that does not count is kMaxTimestamp.
  std::vector<Timestamp> least_;
  std::size_t active_;
  std::size_t idle_ = 0;
  std::size_t at_max_ = 0;  // channels that sent the last watermark
  Timestamp current_ = kMinTimestamp;
};

}  // namespace millrace::detail
