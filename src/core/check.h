// A programmer's error stops the process, in release builds too: going on would risk the state.
// What a user can cause is never checked here; it is returned as an Error.
#pragma once

#include <source_location>

namespace millrace {

[[noreturn]] void fail_check(const char* what, std::source_location where);

inline void check(bool holds, const char* what,
                  std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    fail_check(what, where);
}

}  // namespace millrace
