// The configuration as a process finds it: a file, the environment, and what its flags say.
#pragma once

#include <span>
#include <vector>

#include "millrace/core/config/config.h"

namespace millrace {

// `file` is the flag that names the file, which must exist then; without one it is millrace.yaml,
// if that exists.
Result<Config> load_config(std::span<const ConfigOption> options, const Argument* file,
                           std::vector<ConfigFlag> flags);

}  // namespace millrace
