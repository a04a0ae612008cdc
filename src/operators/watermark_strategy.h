// How event_time() makes watermarks. The watermark of a stream says that no record of its time or
// an earlier one is still to come; a record that comes nevertheless is late.
//
//   stream.event_time(&Payment::at, out_of_order_by(5s).idle_after(1min))
#pragma once

#include <optional>

#include "millrace/core/time.h"

namespace millrace {

class WatermarkStrategy {
 public:
  explicit WatermarkStrategy(Duration bound) : bound_(bound) {}

  // A source without a record for so long, while it could have emitted one, no longer holds back
  // the others. For event_time() directly behind a source.
  WatermarkStrategy idle_after(Duration pause) const {
    WatermarkStrategy strategy = *this;
    strategy.idle_after_ = pause;
    return strategy;
  }

  Duration bound() const { return bound_; }
  std::optional<Duration> idle_after() const { return idle_after_; }

 private:
  Duration bound_;
  std::optional<Duration> idle_after_;
};

// Records come at most so long after a record of a later time.
inline WatermarkStrategy out_of_order_by(Duration bound) { return WatermarkStrategy(bound); }

// Records come in the order of their times.
inline WatermarkStrategy monotonic() { return WatermarkStrategy(Duration(0)); }

}  // namespace millrace
