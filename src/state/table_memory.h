// Memory for large tables: zeroed, and in huge pages where that saves translation misses.
#pragma once

#include <cstddef>

namespace millrace::detail {

void* allocate_zeroed(std::size_t bytes);
void release(void* memory, std::size_t bytes);  // `bytes` as allocated

}  // namespace millrace::detail
