// Linked into a program, has its process die, as if it were killed, at the fail point that DIE_AT
// names, when it has come to it as often as DIE_AFTER says. Or has it stand still there, each time
// that it has come to STAND_AT as often as STAND_EVERY says, until somebody wakes it; no more once
// there is a file STAND_UNLESS. If it completes a checkpoint then before it has claimed the job
// anew, it says so: that was none of its business any more.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "millrace/core/failpoint.h"

namespace {

using millrace::detail::FailPoint;

std::atomic<int> left{0};
std::atomic<int> passed{0};
std::atomic<bool> was_woken{false};

void say(std::string_view line) { (void)!write(STDERR_FILENO, line.data(), line.size()); }

void die_at(FailPoint point) {
  if (to_string(point) == std::string_view(std::getenv("DIE_AT")) && --left == 0) {
    raise(SIGKILL);
  }
}

void stand_at(FailPoint point) {
  if (point == FailPoint::kJobClaimed) was_woken = false;
  if (point == FailPoint::kPointerSwapped && was_woken) say("a late write was accepted\n");
  const bool is_there = to_string(point) == std::string_view(std::getenv("STAND_AT"));
  if (!is_there || ++passed % std::atoi(std::getenv("STAND_EVERY")) != 0) return;
  if (access(std::getenv("STAND_UNLESS"), F_OK) == 0) return;
  kill(getpid(), SIGSTOP);
  was_woken = true;
  say("woken\n");
}

const bool watched = [] {
  if (std::getenv("STAND_AT") != nullptr) {
    millrace::detail::fail_point_hook = stand_at;
    return true;
  }
  const char* const after = std::getenv("DIE_AFTER");
  if (after == nullptr || std::getenv("DIE_AT") == nullptr) return false;
  left = std::atoi(after);
  millrace::detail::fail_point_hook = die_at;
  return true;
}();

}  // namespace
