// Tells when one end of a link has to say that it is alive, and when the other has been silent for
// too long. Any byte counts as a sign of life, so that a large frame on a slow line is no silence.
//
// Time in which this process itself did not run does not count: what came meanwhile is still to be
// read. It shows in a step that comes much later than it was due.
#pragma once

#include <algorithm>
#include <chrono>

namespace millrace::detail {

struct HeartbeatSettings {
  std::chrono::nanoseconds interval = std::chrono::seconds(2);
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
};

class Heartbeats {
 public:
  Heartbeats(HeartbeatSettings settings, std::chrono::nanoseconds now)
      : settings_(settings), heard_(now), sent_(now), stepped_(now) {}

  void on_bytes(std::chrono::nanoseconds now) { heard_ = now; }

  struct Step {
    bool send = false;
    bool silent = false;  // beyond the timeout
  };
  // To be called at least once in each interval.
  Step step(std::chrono::nanoseconds now) {
    const std::chrono::nanoseconds late = now - stepped_ - 2 * settings_.interval;
    if (late.count() > 0) heard_ = std::min(heard_ + late, now);
    stepped_ = now;
    const Step step{.send = now - sent_ >= settings_.interval,
                    .silent = now - heard_ >= settings_.timeout};
    if (step.send) sent_ = now;
    return step;
  }

  std::chrono::nanoseconds silence(std::chrono::nanoseconds now) const { return now - heard_; }

 private:
  HeartbeatSettings settings_;
  std::chrono::nanoseconds heard_;
  std::chrono::nanoseconds sent_;
  std::chrono::nanoseconds stepped_;
};

}  // namespace millrace::detail
