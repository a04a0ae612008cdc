// Single values as the text of a CSV field: numbers in decimal, doubles in the shortest form that
// reads back the same, true and false, enums by name, timestamps in ISO-8601 (or, when read,
// milliseconds since 1970), durations as their number of ticks, strings as they are.
#pragma once

#include <string>
#include <string_view>

#include "millrace/core/records/type.h"

namespace millrace::detail {

// Whether values of the type are single ones, which these functions know.
bool is_single_value(const Type& type);

// Reads all of the text into the value; false if it is none, and the value is then unspecified.
bool parse_value(const Type& type, std::string_view text, void* value);

// What parse_value takes, for a message: "an integer from -128 to 127".
std::string expected_text(const Type& type);

void append_value(const Type& type, const void* value, std::string& out);

}  // namespace millrace::detail
