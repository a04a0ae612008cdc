// The page docs/reference/config.md, made from the table of options. A test compares the two.
#pragma once

#include <span>
#include <string>

#include "millrace/core/config.h"

namespace millrace {

std::string config_reference(std::span<const ConfigOption> options,
                             std::span<const EnvironmentVariable> other_names);

}  // namespace millrace
