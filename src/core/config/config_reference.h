// The page docs/reference/config.md, made from the tables of options and flags. A test compares it
// with the file.
#pragma once

#include <span>
#include <string>

#include "millrace/core/config/config.h"

namespace millrace {

std::string config_reference(std::span<const ConfigOption> options,
                             std::span<const EngineFlag> flags);

}  // namespace millrace
