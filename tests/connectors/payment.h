// A record as the tests read and write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "millrace/core/time.h"

namespace millrace::test {

struct Payment {
  std::string account;
  std::int64_t cents = 0;
  Timestamp at{};

  friend bool operator==(const Payment&, const Payment&) = default;
};

enum class Colour : std::uint8_t { kRed, kGreen = 7 };

// One member of each kind that a CSV field can hold.
struct Sample {
  bool yes = false;
  std::int8_t small = 0;
  std::uint64_t large = 0;
  float single = 0;
  double number = 0;
  std::string text;
  Timestamp at{};
  std::chrono::seconds lasts{};
  Colour colour = Colour::kRed;
  std::optional<std::int32_t> maybe;
  std::optional<std::string> note;

  friend bool operator==(const Sample&, const Sample&) = default;
};

}  // namespace millrace::test
