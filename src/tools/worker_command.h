// millrace worker: runs parts of a cluster's jobs on this machine until SIGTERM or SIGINT.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

namespace millrace {

// `words` follow "millrace worker". Returns the exit code: 0 it was told to end, 1 it could not
// start, 2 wrong usage. No other thread may run yet: it blocks the two signals.
int run_worker_command(std::span<const std::string> words, std::ostream& out, std::ostream& err);

}  // namespace millrace
