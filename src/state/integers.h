// Integers as files of state and links hold them: little-endian, as this machine has them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace millrace::detail {

static_assert(std::endian::native == std::endian::little, "files of state are little-endian");

template <class Integer>
void append_integer(std::string& bytes, Integer value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// The caller has seen to it that there are so many bytes.
template <class Integer>
void put_integer(std::string& bytes, std::size_t at, Integer value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}
template <class Integer>
Integer integer_at(std::string_view bytes, std::size_t at) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace millrace::detail
