// Moving a record whose source is overwritten next, in the way that keeps memory in order: a short
// string is copied into the buffer that stands there. Swapping the buffers would scatter the rows
// of a recycled batch over the whole heap, and reading each would wait for memory.
#pragma once

#include <string>
#include <utility>

#include "millrace/core/records/reflect.h"

namespace millrace::detail {

inline constexpr std::size_t kCopiedText = 64;  // bytes; longer texts are moved

template <class T>
void pass_on(T& from, T& to) {
  if constexpr (std::is_trivially_copyable_v<T>) {
    to = from;
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (from.size() <= kCopiedText) {
      to = std::as_const(from);
    } else {
      to = std::move(from);
    }
  } else if constexpr (std::is_aggregate_v<T> && refusal_of<T>() == Refusal::kNone &&
                       !is_std_array<T>) {
    with_fields(from, [&](auto&... of_from) {
      with_fields(to, [&](auto&... of_to) { (pass_on(of_from, of_to), ...); });
    });
  } else {
    to = std::move(from);
  }
}

}  // namespace millrace::detail
