// Keeps what one thread writes for each record apart from what others touch: two objects in one
// cache line, written by two cores, cost each of them a transfer of the line with every write.
#pragma once

#include <cstddef>
#include <new>

namespace millrace::detail {

inline constexpr std::size_t kCacheLine = 64;

// An allocator whose blocks share their cache lines with nothing else.
template <class T>
struct CacheAligned {
  using value_type = T;

  CacheAligned() = default;
  template <class U>
  CacheAligned(const CacheAligned<U>&) {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new (bytes_of(count), std::align_val_t{kCacheLine}));
  }
  void deallocate(T* memory, std::size_t) {
    ::operator delete (memory, std::align_val_t{kCacheLine});
  }
  bool operator==(const CacheAligned&) const = default;

 private:
  static std::size_t bytes_of(std::size_t count) {
    return (count * sizeof(T) + kCacheLine - 1) / kCacheLine * kCacheLine;
  }
};

}  // namespace millrace::detail
