#include "millrace/launch/status_line.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "millrace/core/text.h"

namespace millrace {
namespace {

std::string with_unit(double count) {
  char text[32];
  if (count >= 1e6) {
    std::snprintf(text, sizeof text, "%.1f M", count / 1e6);
  } else if (count >= 1e4) {
    std::snprintf(text, sizeof text, "%.1f k", count / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.0f", count);
  }
  return text;
}

}  // namespace

std::string status_text(const detail::JobProgress& before, const detail::JobProgress& now,
                        double seconds, Timestamp clock) {
  std::string text =
      concat(with_unit(static_cast<double>(now.records_in - before.records_in) / seconds),
             " records/s in, ",
             with_unit(static_cast<double>(now.records_out - before.records_out) / seconds),
             " out, ", with_unit(static_cast<double>(now.records_in)), " read");
  if (now.watermark != kMinTimestamp && now.watermark != kMaxTimestamp) {
    text += concat(", watermark ", (clock - now.watermark).count(), " ms behind");
  }
  if (now.state_rows > 0) {
    text += concat(", state ", with_unit(static_cast<double>(now.state_rows)), " keys in ",
                   with_unit(static_cast<double>(now.state_bytes)), "B");
  }
  const std::uint64_t lookups = now.state_lookups - before.state_lookups;
  const std::uint64_t reads = now.state_reads - before.state_reads;
  if (lookups > 0 && reads > 0) {
    text += concat(" (", std::min<std::uint64_t>(100, 100 * reads / lookups), " % read from disk)");
  }
  return text;
}

StatusLine::StatusLine()
    : on_terminal_(isatty(STDERR_FILENO) == 1), last_time_(std::chrono::steady_clock::now()) {}

void StatusLine::update(const detail::JobProgress& progress) {
  if (!on_terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - last_time_).count();
  if (seconds < 1) return;
  std::fprintf(stderr, "\r\033[K%s",
               status_text(last_, progress, seconds, SystemClock().now()).c_str());
  std::fflush(stderr);
  drawn_ = true;
  last_ = progress;
  last_time_ = now;
}

void StatusLine::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

}  // namespace millrace
