// Bytes as text that JSON can hold (RFC 4648, with padding).
#pragma once

#include <string>
#include <string_view>

#include "millrace/core/result.h"

namespace millrace::detail {

std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

}  // namespace millrace::detail
