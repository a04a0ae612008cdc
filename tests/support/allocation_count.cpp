#include "support/allocation_count.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace millrace::detail {
namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

std::size_t allocation_count() { return allocations.load(); }

}  // namespace millrace::detail

void* operator new(std::size_t size) {
  ++millrace::detail::allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
