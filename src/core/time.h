// Time. Event time is a Timestamp: milliseconds since 1970 in UTC, as the events say. Processing
// time and delays are read from a Clock, which is injected: tests and simulation bring their own.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "millrace/core/result.h"

namespace millrace {

using Duration = std::chrono::milliseconds;
using Timestamp = std::chrono::sys_time<Duration>;

constexpr Timestamp kMinTimestamp = Timestamp::min();  // before every event; "no timestamp yet"
constexpr Timestamp kMaxTimestamp = Timestamp::max();  // the watermark at the end of the input

// ISO-8601 in UTC with milliseconds: 2026-11-20T16:00:00.000Z. A time outside of the years 0 to
// 9999 is its number of milliseconds, which reads back too.
std::string to_string(Timestamp time);
void append_iso8601(std::string& text, Timestamp time);

// Reads ISO-8601 (date, or date and time with 'T' or a space, fraction, 'Z' or +hh:mm; no zone
// means UTC) or integer milliseconds since 1970.
Result<Timestamp> parse_timestamp(std::string_view text);

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;                       // wall clock, may jump
  virtual std::chrono::nanoseconds monotonic() const = 0;  // for intervals, never jumps
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  std::chrono::nanoseconds monotonic() const override;
};

}  // namespace millrace
