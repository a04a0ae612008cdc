// How often this program has allocated memory. Linking the .cpp replaces operator new.
#pragma once

#include <cstddef>

namespace millrace::detail {

std::size_t allocation_count();

}  // namespace millrace::detail
