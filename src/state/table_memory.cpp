#include "millrace/state/table_memory.h"

#include <sys/mman.h>

#include <cstdlib>

#include "millrace/core/check.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

void* allocate_zeroed(std::size_t bytes) {
  if (bytes < kHugePage) {
    void* memory = std::calloc(bytes, 1);
    check(memory != nullptr, "out of memory for a state table");
    return memory;
  }
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(memory != MAP_FAILED, "out of memory for a state table");
  madvise(memory, bytes, MADV_HUGEPAGE);  // advice only: nothing to do when it is refused
  return memory;
}

void release(void* memory, std::size_t bytes) {
  if (memory == nullptr) return;
  if (bytes < kHugePage) {
    std::free(memory);
  } else {
    munmap(memory, bytes);
  }
}

}  // namespace millrace::detail
