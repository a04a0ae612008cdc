// Records of every shape, for the tests of what walks field tables.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "millrace/core/time.h"

namespace millrace {

enum class Color : std::int16_t { kRed, kGreen = 5, kBlue = 100 };

struct Payment {
  std::string account;
  std::int64_t cents;
  Timestamp at;
  bool operator==(const Payment&) const = default;
};

struct KitchenSink {
  bool flag = false;
  std::int8_t tiny = 0;
  std::int16_t small = 0;
  std::int32_t medium = 0;
  std::uint8_t byte = 0;
  std::uint16_t port = 0;
  std::uint32_t address = 0;
  std::uint64_t large = 0;
  float single_precision = 0;
  double double_precision = 0;
  std::string text;
  Timestamp at;
  std::chrono::milliseconds delay{0};
  std::chrono::duration<std::int32_t, std::ratio<3600>> hours{0};
  Color color = Color::kRed;
  std::optional<std::string> maybe_text;
  std::optional<std::optional<std::int32_t>> maybe_maybe;
  std::vector<std::int64_t> numbers;
  std::vector<std::vector<std::string>> words;
  std::vector<Payment> payments;
  std::array<double, 3> coordinates{};
  std::array<std::string, 2> ends;
  std::map<std::string, std::int64_t> by_name;
  std::unordered_map<std::int32_t, Payment> by_number;
  std::variant<std::int64_t, std::string, Payment> either;
  std::pair<std::int32_t, std::string> pair;
  std::tuple<bool, double, std::vector<std::int8_t>> triple;
  std::vector<std::monostate> nothings;
  Payment nested;
  bool operator==(const KitchenSink&) const = default;
};

// Sinks that differ in every field, as many as wanted.
std::vector<KitchenSink> kitchen_sinks(std::size_t count);

struct Tree {
  std::int64_t id = 0;
  std::vector<Tree> children;
  std::unique_ptr<Tree> next;
};

}  // namespace millrace
