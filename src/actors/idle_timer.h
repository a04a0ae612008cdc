// Tells when a source has been without records for so long that nobody is to wait for its
// watermark. Time in which it could not have emitted, for want of credit, does not count.
#pragma once

#include <chrono>
#include <optional>

namespace millrace::detail {

class IdleTimer {
 public:
  // Without `after` it never becomes idle.
  IdleTimer(std::optional<std::chrono::nanoseconds> after, std::chrono::nanoseconds now)
      : after_(after), since_(now) {}

  void on_records(std::chrono::nanoseconds now) {
    since_ = now;
    told_ = false;
  }
  void on_backpressure(std::chrono::nanoseconds now) { since_ = now; }

  // When the source becomes idle; nothing if it is already.
  std::optional<std::chrono::nanoseconds> due() const {
    if (!after_ || told_) return std::nullopt;
    return since_ + *after_;
  }
  // True once, when it becomes idle.
  bool becomes_idle(std::chrono::nanoseconds now) {
    if (!due() || now < *due()) return false;
    return told_ = true;
  }

 private:
  std::optional<std::chrono::nanoseconds> after_;
  std::chrono::nanoseconds since_;
  bool told_ = false;
};

}  // namespace millrace::detail
