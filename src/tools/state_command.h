// millrace state ls|get|diff|verify: looks into savepoints and checkpoints, without the job and
// without loading them.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "millrace/core/result.h"

namespace millrace {

// `words` follow "millrace state". Returns the exit code: 0 well, 1 not so (nothing found, a
// difference, damage), 2 wrong usage.
int run_state_command(std::span<const std::string> words, std::ostream& out, std::ostream& err);

namespace detail {

// The commands; true if all is well. An error is printed by the caller.
Result<bool> list_state(const std::string& path, std::ostream& out);
struct StateQuery {
  std::string path;
  std::string operator_name;
  std::string state;
  std::string key;
};
Result<bool> find_state(const StateQuery& query, std::ostream& out);
Result<bool> compare_state(const std::string& before, const std::string& now, std::ostream& out);
Result<bool> verify_state(const std::string& path, std::ostream& out);

}  // namespace detail
}  // namespace millrace
