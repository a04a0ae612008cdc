// The line that shows how a job gets on, rewritten once a second on standard error while that is a
// terminal: records per second of all sources, and how far the watermark is behind the clock.
#pragma once

#include <chrono>
#include <string>

#include "millrace/plan/cluster.h"

namespace millrace {

// The line's text for what was done since `before`, `seconds` ago.
std::string status_text(const detail::JobProgress& before, const detail::JobProgress& now,
                        double seconds, Timestamp clock);

class StatusLine {
 public:
  StatusLine();

  void update(const detail::JobProgress& progress);
  void clear();

 private:
  bool on_terminal_;
  bool drawn_ = false;
  detail::JobProgress last_;
  std::chrono::steady_clock::time_point last_time_;
};

}  // namespace millrace
