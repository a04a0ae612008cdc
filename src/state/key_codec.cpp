#include "millrace/state/key_codec.h"

namespace millrace::detail {

bool read_word(std::string_view& in, std::uint64_t& word) {
  if (in.size() < sizeof word) return false;
  std::memcpy(&word, in.data(), sizeof word);
  in.remove_prefix(sizeof word);
  return true;
}

void append_text(std::string& out, std::string_view text) {
  append_word(out, text.size());
  out.append(text);
}

bool read_text(std::string_view& in, std::string& text) {
  std::uint64_t size = 0;
  if (!read_word(in, size) || size > in.size()) return false;
  text.assign(in.substr(0, size));
  in.remove_prefix(size);
  return true;
}

}  // namespace millrace::detail
