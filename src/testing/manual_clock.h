// A clock that stands still until it is told to go on.
#pragma once

#include "millrace/core/time.h"

namespace millrace::detail {

class ManualClock final : public Clock {
 public:
  Timestamp now() const override {
    return Timestamp(std::chrono::duration_cast<Duration>(elapsed_));
  }
  std::chrono::nanoseconds monotonic() const override { return elapsed_; }

  void advance(std::chrono::nanoseconds time) { elapsed_ += time; }

 private:
  std::chrono::nanoseconds elapsed_{0};
};

}  // namespace millrace::detail
