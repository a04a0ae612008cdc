// What --help prints: the job's parameters and the engine's flags in two columns, 80 wide.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "millrace/core/config/arguments.h"
#include "millrace/core/config/parameters.h"

namespace millrace {

// What is written, and what it does.
struct HelpRow {
  std::string left;
  std::string right;
};

std::string help_columns(std::span<const HelpRow> rows);

std::string help_text(std::string_view program, std::span<const EngineFlag> flags,
                      std::span<const ParameterDeclaration> declared);

}  // namespace millrace
