// What a record holds outside itself. Its size bounds batches and channels in bytes, besides their
// number of records: an estimate by size, not by capacity, and free for records without heap. What
// it takes up counts where records wait for their next use. Its place can be fetched ahead of use.
#pragma once

#include <cstddef>

#include "millrace/core/records/reflect.h"

namespace millrace::detail {

enum class HeapBytes : std::uint8_t {
  kUsed,      // what the value says
  kReserved,  // what its buffers take up, full or not
};

template <HeapBytes counted = HeapBytes::kUsed, class T>
constexpr std::size_t heap_footprint(const T& value);

template <HeapBytes counted, class Range>
constexpr std::size_t footprint_of_elements(const Range& range) {
  std::size_t bytes = range.size() * sizeof(typename Range::value_type);
  for (const auto& element : range) bytes += heap_footprint<counted>(element);
  return bytes;
}

template <HeapBytes counted>
constexpr std::size_t footprint_of_text(const std::string& text) {
  if (counted == HeapBytes::kUsed) return text.size();
  constexpr std::size_t kInPlace = std::string().capacity();
  return text.capacity() > kInPlace ? text.capacity() : 0;
}

template <HeapBytes counted, class T>
constexpr std::size_t heap_footprint(const T& value) {
  if constexpr (std::is_trivially_copyable_v<T>) {
    return 0;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return footprint_of_text<counted>(value);
  } else if constexpr (is_instance<T, std::vector>) {
    const std::size_t spare = value.capacity() - value.size();
    return footprint_of_elements<counted>(value) +
           (counted == HeapBytes::kReserved ? spare * sizeof(typename T::value_type) : 0);
  } else if constexpr (MapLike<T>) {
    return footprint_of_elements<counted>(value);
  } else if constexpr (is_std_array<T>) {
    return footprint_of_elements<counted>(value) - sizeof(T);
  } else if constexpr (is_instance<T, std::unique_ptr>) {
    return value ? sizeof(*value) + heap_footprint<counted>(*value) : 0;
  } else if constexpr (is_instance<T, std::optional>) {
    return value ? heap_footprint<counted>(*value) : 0;
  } else if constexpr (is_instance<T, std::variant>) {
    return std::visit([](const auto& held) { return heap_footprint<counted>(held); }, value);
  } else if constexpr (refusal_of<T>() == Refusal::kNone) {
    return with_fields(value, [](const auto&... fields) {
      return (std::size_t{0} + ... + heap_footprint<counted>(fields));
    });
  } else {
    return 0;
  }
}

// Whether records of the type may hold anything outside themselves.
template <class T>
inline constexpr bool kHasHeap = !std::is_trivially_copyable_v<T>;

// Begins to fetch what the record's own strings and vectors point to.
template <class T>
void prefetch_heap(const T& value) {
  if constexpr (std::is_trivially_copyable_v<T>) {
  } else if constexpr (std::is_same_v<T, std::string> || is_instance<T, std::vector>) {
    __builtin_prefetch(value.data());
  } else if constexpr (is_std_array<T> || is_instance<T, std::optional> ||
                       is_instance<T, std::unique_ptr> || is_instance<T, std::variant> ||
                       MapLike<T>) {
  } else if constexpr (refusal_of<T>() == Refusal::kNone) {
    with_fields(value, [](const auto&... fields) { (prefetch_heap(fields), ...); });
  }
}

}  // namespace millrace::detail
