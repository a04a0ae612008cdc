// millrace coordinator: a process that stands for election and leads a cluster.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

namespace millrace {

// Runs until it is told to stop. Returns the exit status.
int run_coordinator_command(std::span<const std::string> words, std::ostream& out,
                            std::ostream& errors);

}  // namespace millrace
