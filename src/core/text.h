// Text for messages: joining pieces, quoting what a user wrote, and naming the nearest known word.
// Nothing here runs per record.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>

namespace millrace::detail {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

inline void append_piece(std::string& text, std::string_view piece) { text += piece; }
inline void append_piece(std::string& text, char piece) { text += piece; }
template <std::integral I>
requires(!std::same_as<I, char> && !std::same_as<I, bool>) void append_piece(std::string& text,
                                                                             I piece) {
  text += std::to_string(piece);
}

}  // namespace millrace::detail

namespace millrace {

// concat("expected ", 3, " fields") == "expected 3 fields"
template <class... Pieces>
std::string concat(const Pieces&... pieces) {
  std::string text;
  (detail::append_piece(text, pieces), ...);
  return text;
}

// 'text' in single quotes, control characters escaped, cut after 80 characters.
std::string in_quotes(std::string_view text);

// "a, b and c"
std::string join(std::span<const std::string> words, std::string_view last = " and ");

// A type as a program spells it: "std::runtime_error".
std::string readable_name(const std::type_info& type);

// The known word that a mistyped one most likely meant; empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string> known);

}  // namespace millrace
