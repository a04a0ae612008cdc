#include "millrace/web/base64.h"

#include <array>
#include <cstdint>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t kNoDigit = 64;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values;
  values.fill(kNoDigit);
  for (std::uint8_t value = 0; value < kDigits.size(); ++value) {
    values[static_cast<unsigned char>(kDigits[value])] = value;
  }
  return values;
}();

Error bad_digit(std::string_view text, std::size_t at) {
  return invalid_argument(
      concat("base64 has no ", in_quotes(text.substr(at, 1)), ", which is its byte ", at + 1));
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= group.size() ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return invalid_argument(
        concat("base64 comes in groups of 4, and here are ", text.size(), " bytes"));
  }
  std::size_t digits = text.size();
  while (digits > 0 && text.size() - digits < 2 && text[digits - 1] == '=') --digits;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  for (std::size_t at = 0; at < digits; ++at) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(text[at])];
    if (value == kNoDigit) return bad_digit(text, at);
    bits = bits << 6 | value;
    if (at % 4 != 0) bytes += static_cast<char>(bits >> (6 - at % 4 * 2) & 255);
  }
  return bytes;
}

}  // namespace millrace::detail
