// What user code throws, as an error.
#pragma once

#include <exception>
#include <string_view>

#include "millrace/core/result.h"

namespace millrace::detail {

// "<who> threw std::out_of_range: no such key"
Error thrown_by(std::string_view who, std::exception_ptr exception);

}  // namespace millrace::detail
