// Linked into a program, has its process die, as if it were killed, at the fail point that
// DIE_AT names, when it has come to it as often as DIE_AFTER says.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "millrace/core/failpoint.h"

namespace {

std::atomic<int> left{0};

void die_at(millrace::detail::FailPoint point) {
  if (to_string(point) == std::string_view(std::getenv("DIE_AT")) && --left == 0) {
    raise(SIGKILL);
  }
}

const bool watched = [] {
  const char* const after = std::getenv("DIE_AFTER");
  if (after == nullptr || std::getenv("DIE_AT") == nullptr) return false;
  left = std::atoi(after);
  millrace::detail::fail_point_hook = die_at;
  return true;
}();

}  // namespace
