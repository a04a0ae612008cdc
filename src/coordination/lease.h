// Until when a session with ZooKeeper has surely not expired: its timeout after the last request
// was sent that has been answered. A client that is cut off never learns of the expiry, so its own
// clock must tell it. The times are those of boot_time(), which goes on while the machine sleeps.
//
// A value. One thread at a time.
#pragma once

#include <chrono>
#include <optional>

namespace millrace::detail {

class Lease {
 public:
  using Time = std::chrono::nanoseconds;

  // A request that was sent at that time has been answered, in a session with that timeout.
  void renew(Time sent, Time timeout) {
    if (!end_ || sent + timeout > *end_) end_ = sent + timeout;
  }

  bool begun() const { return end_.has_value(); }
  bool over(Time now) const { return !end_ || now >= *end_; }
  Time left(Time now) const { return over(now) ? Time(0) : *end_ - now; }

 private:
  std::optional<Time> end_;
};

}  // namespace millrace::detail
