// Takes integers and texts off the front of a frame's body, as far as they are there. Once
// something was missing all that follows is missing too, so that a caller asks once, at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/state/integers.h"

namespace millrace::detail {

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <class Integer>
  Integer take() {
    if (!has(sizeof(Integer))) return {};
    const auto value = integer_at<Integer>(bytes_, 0);
    bytes_.remove_prefix(sizeof value);
    return value;
  }

  // As append_frame_text() wrote it, if it has at most so many bytes.
  std::string_view take_text(std::size_t most) {
    const auto size = take<std::uint32_t>();
    return take_bytes(size <= most ? size : bytes_.size() + 1);
  }

  std::string_view take_bytes(std::size_t size) {
    if (!has(size)) return {};
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  // The bytes that were not taken.
  std::string_view rest() const { return bytes_; }

  // Everything that was asked for was there.
  bool well() const { return well_; }
  // And nothing else.
  bool ended() const { return well_ && bytes_.empty(); }

 private:
  bool has(std::size_t size) {
    well_ = well_ && size <= bytes_.size();
    return well_;
  }

  std::string_view bytes_;
  bool well_ = true;
};

inline void append_frame_text(std::string& bytes, std::string_view text) {
  append_integer(bytes, static_cast<std::uint32_t>(text.size()));
  bytes += text;
}

}  // namespace millrace::detail
