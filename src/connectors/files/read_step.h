// What a reader of a file came upon.
#pragma once

#include <cstdint>

namespace millrace::detail {

enum class ReadStep : std::uint8_t { kRecord, kBad, kEnd, kFailed };

}  // namespace millrace::detail
