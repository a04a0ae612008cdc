// Encoded columns on their way in: takes bytes off the front, never more than there are, and says
// at which byte the input turned out to be corrupt. Inside the codec and JSON only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

#include "millrace/core/records/type.h"
#include "millrace/core/result.h"
#include "millrace/core/text.h"

namespace millrace::detail {

// The bytes that each value of a kind of fixed width takes; 0 for other kinds.
constexpr std::size_t fixed_width(Kind held_as) {
  switch (held_as) {
    case Kind::kBool:
    case Kind::kInt8:
    case Kind::kUInt8:
      return 1;
    case Kind::kInt16:
    case Kind::kUInt16:
      return 2;
    case Kind::kInt32:
    case Kind::kUInt32:
    case Kind::kFloat:
      return 4;
    case Kind::kInt64:
    case Kind::kUInt64:
    case Kind::kDouble:
      return 8;
    default:
      return 0;
  }
}
constexpr std::size_t fixed_width(const Type& type) { return fixed_width(held_as(type)); }

// use(the width as a constant), for a width that fixed_width() gives.
template <class Use>
void with_fixed_width(std::size_t width, Use use) {
  switch (width) {
    case 1:
      return use(std::integral_constant<std::size_t, 1>());
    case 2:
      return use(std::integral_constant<std::size_t, 2>());
    case 4:
      return use(std::integral_constant<std::size_t, 4>());
    default:
      return use(std::integral_constant<std::size_t, 8>());
  }
}

// The places of elements that lie one after the other. Pointer is void* or const void*.
template <class Pointer>
void add_elements(Pointer first, std::size_t size, std::size_t stride,
                  std::vector<Pointer>& places) {
  using Byte = std::conditional_t<std::is_same_v<Pointer, void*>, char, const char>;
  Byte* element = static_cast<Byte*>(first);
  for (std::size_t i = 0; i < size; ++i, element += stride) places.push_back(element);
}

// use(an unsigned integer that is as wide as a length)
template <class Use>
void with_width(std::size_t width, Use use) {
  if (width == 1) return use(std::uint8_t{});
  if (width == 2) return use(std::uint16_t{});
  use(std::uint32_t{});
}

// A column of lengths, as it lies in the input.
class Lengths {
 public:
  Lengths() = default;
  Lengths(const char* bytes, std::size_t width, std::size_t size)
      : bytes_(bytes), width_(width), size_(size) {
    each([&](std::size_t length) { total_ += length; });
  }

  std::uint64_t total() const { return total_; }

  template <class Use>
  void each(Use use) const {
    with_width(width_, [&](auto length) {
      for (std::size_t i = 0; i < size_; ++i) {
        std::memcpy(&length, bytes_ + i * sizeof length, sizeof length);
        use(std::size_t{length});
      }
    });
  }

 private:
  const char* bytes_ = nullptr;
  std::size_t width_ = 1;
  std::size_t size_ = 0;
  std::uint64_t total_ = 0;
};

class ColumnInput {
 public:
  explicit ColumnInput(std::string_view bytes) : bytes_(bytes), rest_(bytes) {}

  std::string_view rest() const { return rest_; }

  // Points at the next `size` elements of `width` bytes and steps over them, if they are there.
  Status take(std::uint64_t size, std::size_t width, const char*& bytes) {
    if (size > rest_.size() / width) return corrupt("the input ends too early");
    bytes = rest_.data();
    rest_.remove_prefix(static_cast<std::size_t>(size) * width);
    return {};
  }

  Status take_lengths(std::size_t rows, Lengths& lengths) {
    const char* width = nullptr;
    const char* bytes = nullptr;
    Status status = take(1, 1, width);
    if (!status) return status;
    if (*width != 1 && *width != 2 && *width != 4) return corrupt("a width that no length has");
    status = take(rows, static_cast<std::size_t>(*width), bytes);
    if (status) lengths = Lengths(bytes, static_cast<std::size_t>(*width), rows);
    return status;
  }

  // One bit for each row; those after the last are zero.
  Status take_bits(std::size_t rows, const char*& bits) {
    Status status = take((rows + 7) / 8, 1, bits);
    if (!status || rows % 8 == 0) return status;
    const auto last = static_cast<unsigned char>(bits[rows / 8]);
    return last >> (rows % 8) == 0 ? Status() : corrupt("bits that belong to no row");
  }

  // Whether the input can hold so many elements of at least so many bits, before they are made.
  Status can_hold(std::uint64_t elements, std::uint64_t least_bits) const {
    const std::uint64_t bits = std::uint64_t{rest_.size()} * 8;
    return elements <= bits / least_bits ? Status() : corrupt("more elements than there is input");
  }

  Status corrupt(std::string_view what) const {
    return corruption(concat("encoded records, byte ", bytes_.size() - rest_.size(), ": ", what));
  }

 private:
  std::string_view bytes_;
  std::string_view rest_;
};

inline bool bit_at(const char* bits, std::size_t i) {
  return (static_cast<unsigned char>(bits[i / 8]) >> (i % 8) & 1) != 0;
}

// The fewest bits that a value of the type takes: at least one, so that counts can be bounded.
std::uint64_t least_bits(const Type& type);

}  // namespace millrace::detail
