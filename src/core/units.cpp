#include "millrace/core/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "millrace/core/check.h"
#include "millrace/core/text.h"

namespace millrace {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Each a multiple of the one before, as printing relies on.
constexpr Unit kTimeUnits[] = {
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"min", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
};
constexpr Unit kSizeUnits[] = {
    {"TiB", std::int64_t{1} << 40},
    {"GiB", 1 << 30},
    {"MiB", 1 << 20},
    {"KiB", 1 << 10},
    {"TB", 1'000'000'000'000},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"KB", 1'000},
    {"B", 1},
};
constexpr std::string_view kTimeUnitNames = "ms, s, min, h or d";

// The number that a text begins with, and what follows it after an optional space.
struct Quantity {
  std::int64_t number = 0;
  bool too_large = false;
  std::string_view unit;
};

// Null when the text does not begin with a digit: signs and fractions are no quantities here.
bool read_quantity(std::string_view text, Quantity& quantity) {
  const char* end = text.data() + text.size();
  if (text.empty() || text.front() == '-') return false;
  const auto [rest, error] = std::from_chars(text.data(), end, quantity.number);
  if (error == std::errc::invalid_argument) return false;
  quantity.too_large = error == std::errc::result_out_of_range;
  quantity.unit = std::string_view(rest, static_cast<std::size_t>(end - rest));
  if (quantity.unit.size() > 1 && quantity.unit.front() == ' ') quantity.unit.remove_prefix(1);
  return true;
}

const Unit* find_unit(std::span<const Unit> units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

Error no_duration(std::string_view text) {
  return invalid_argument(concat(in_quotes(text),
                                 " is not a duration; expected a whole number with one of ",
                                 kTimeUnitNames, ", as in 30s"));
}

Error no_size(std::string_view text) {
  return invalid_argument(concat(in_quotes(text),
                                 " is not a size; expected a whole number of bytes, or one with "
                                 "KiB, MiB, GiB, TiB, KB, MB, GB or TB, as in 64MiB"));
}

bool multiply(std::int64_t value, std::int64_t factor, std::int64_t& product) {
  return !__builtin_mul_overflow(value, factor, &product);
}

}  // namespace

std::string to_string(Bytes size) {
  for (const Unit& unit : kSizeUnits) {
    const auto factor = static_cast<std::uint64_t>(unit.factor);
    if (size.count() >= factor && size.count() % factor == 0) {
      return concat(size.count() / factor, unit.name);
    }
  }
  return "0B";
}

Result<Bytes> parse_bytes(std::string_view text) {
  Quantity quantity;
  if (!read_quantity(text, quantity)) return no_size(text);
  const Unit* unit = find_unit(kSizeUnits, quantity.unit.empty() ? "B" : quantity.unit);
  if (unit == nullptr) return no_size(text);
  std::int64_t count = 0;
  if (quantity.too_large || !multiply(quantity.number, unit->factor, count)) {
    return invalid_argument(concat(in_quotes(text), " is too large; expected less than 8 EiB"));
  }
  return Bytes(static_cast<std::uint64_t>(count));
}

Result<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return invalid_argument(concat(in_quotes(text), " is not a boolean; expected true or false"));
}

Result<std::int64_t> parse_integer(std::string_view text) {
  return detail::parse_integer_within(text, std::numeric_limits<std::int64_t>::min(),
                                      std::numeric_limits<std::int64_t>::max());
}

Result<double> parse_number(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && rest == end && std::isfinite(value)) return value;
  return invalid_argument(
      concat(in_quotes(text), " is not a number; expected one such as 0.5, -3 or 1e6"));
}

std::string_view to_string(ValueKind kind) {
  constexpr std::string_view kNames[] = {"text",     "boolean", "integer", "number",
                                         "duration", "size",    "time",    "word"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string with_article(ValueKind kind) {
  return concat(kind == ValueKind::kInteger ? "an " : "a ", to_string(kind));
}

namespace detail {

Result<std::int64_t> parse_ticks(std::string_view text, std::int64_t nanoseconds_per_tick) {
  Quantity quantity;
  if (!read_quantity(text, quantity)) return no_duration(text);
  if (quantity.unit.empty()) {
    return invalid_argument(concat(in_quotes(text), " has no unit; expected one of ",
                                   kTimeUnitNames, " after the number, as in ", text, "s"));
  }
  const Unit* unit = find_unit(kTimeUnits, quantity.unit == "m" ? "min" : quantity.unit);
  if (unit == nullptr) return no_duration(text);

  std::int64_t ticks = 0;
  const std::int64_t ticks_per_unit = unit->factor / nanoseconds_per_tick;
  const std::int64_t units_per_tick = nanoseconds_per_tick / unit->factor;
  const bool fits = !quantity.too_large &&
                    multiply(quantity.number, std::max<std::int64_t>(ticks_per_unit, 1), ticks);
  if (!fits) {
    return invalid_argument(concat(in_quotes(text), " is too long for a duration"));
  }
  if (units_per_tick <= 1) return ticks;
  if (quantity.number % units_per_tick == 0) return quantity.number / units_per_tick;
  return invalid_argument(concat(in_quotes(text), " is too fine; expected a whole number of ",
                                 print_ticks(1, nanoseconds_per_tick)));
}

std::string print_ticks(std::int64_t ticks, std::int64_t nanoseconds_per_tick) {
  std::int64_t factor = nanoseconds_per_tick;
  std::string_view name;
  for (const Unit& unit : kTimeUnits) {
    if (unit.factor == factor) name = unit.name;
    if (unit.factor <= factor || ticks == 0) continue;
    const std::int64_t step = unit.factor / factor;
    if (ticks % step != 0) break;
    ticks /= step;
    factor = unit.factor;
    name = unit.name;
  }
  return concat(ticks, name);
}

Result<std::int64_t> parse_integer_within(std::string_view text, std::int64_t least,
                                          std::int64_t most) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (rest != end || error == std::errc::invalid_argument) {
    return invalid_argument(
        concat(in_quotes(text), " is not an integer; expected one such as 0, 42 or -7"));
  }
  if (error == std::errc() && value >= least && value <= most) return value;
  return invalid_argument(
      concat(in_quotes(text), " is out of range; expected an integer from ", least, " to ", most));
}

Result<std::size_t> parse_word(std::string_view text, std::span<const std::string_view> words) {
  const std::vector<std::string> known(words.begin(), words.end());
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i] == text) return i;
  }
  return invalid_argument(
      concat(in_quotes(text), " is not a known word; expected ", join(known, " or ")));
}

std::string print_number(double value) {
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  check(error == std::errc(), "a double did not fit 32 characters");
  return std::string(digits.data(), end);
}

Error or_automatic(const Error& error) {
  return Error(error.code(), concat(error.message(), "; or auto"));
}

}  // namespace detail
}  // namespace millrace
