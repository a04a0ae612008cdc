// millrace cluster: coordinators and workers on this machine, in the background.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

namespace millrace {

// Returns the exit status.
int run_local_cluster_command(std::span<const std::string> words, std::ostream& out,
                              std::ostream& errors);

}  // namespace millrace
