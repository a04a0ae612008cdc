#include "millrace/connectors/files/value_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "millrace/core/text.h"
#include "millrace/core/time.h"

namespace millrace::detail {
namespace {

// use(T()) with the integer type of that kind.
template <class Use>
auto with_integer(Kind kind, Use use) {
  switch (kind) {
    case Kind::kInt8:
      return use(std::int8_t());
    case Kind::kInt16:
      return use(std::int16_t());
    case Kind::kInt32:
      return use(std::int32_t());
    case Kind::kUInt8:
      return use(std::uint8_t());
    case Kind::kUInt16:
      return use(std::uint16_t());
    case Kind::kUInt32:
      return use(std::uint32_t());
    case Kind::kUInt64:
      return use(std::uint64_t());
    default:
      return use(std::int64_t());
  }
}

// Whether a number was out of range since it is too small to tell from 0, which it then becomes.
template <class Number>
bool is_underflow(std::errc error, std::string_view text, Number& number) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (error != std::errc::result_out_of_range) return false;
    const std::string terminated(text);
    char* end = nullptr;
    number = static_cast<Number>(std::strtod(terminated.c_str(), &end));
    return *end == '\0' && !std::isinf(number);
  } else {
    return false;
  }
}

template <class Number>
bool parse_number(std::string_view text, void* value) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size()) return false;
  if (error != std::errc() && !is_underflow(error, text, number)) return false;
  std::memcpy(value, &number, sizeof number);
  return true;
}

bool parse_integer(Kind kind, std::string_view text, void* value) {
  if (kind == Kind::kInt64) return parse_number<std::int64_t>(text, value);
  return with_integer(kind, [&](auto zero) { return parse_number<decltype(zero)>(text, value); });
}

template <class Number>
void append_number(const void* value, std::string& out) {
  Number number{};
  std::memcpy(&number, value, sizeof number);
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end);
}

void append_integer(Kind kind, const void* value, std::string& out) {
  with_integer(kind, [&](auto zero) { append_number<decltype(zero)>(value, out); });
}

bool parse_bool(std::string_view text, void* value) {
  const bool yes = text == "true" || text == "1";
  if (!yes && text != "false" && text != "0") return false;
  std::memcpy(value, &yes, sizeof yes);
  return true;
}

// A number is taken only for a value without a name, as it is written.
bool parse_enum(const Type& type, std::string_view text, void* value) {
  for (const EnumName& named : type.names) {
    if (named.name != text) continue;
    with_integer(type.integer, [&](auto integer) {
      integer = static_cast<decltype(integer)>(named.value);
      std::memcpy(value, &integer, sizeof integer);
    });
    return true;
  }
  return parse_integer(type.integer, text, value) &&
         enum_name(type, read_integer(type.integer, value)).empty();
}

bool parse_time(std::string_view text, void* value) {
  const Result<Timestamp> time = parse_timestamp(text);
  if (time) *static_cast<Timestamp*>(value) = *time;
  return time.has_value();
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string integer_range(Kind kind) {
  return with_integer(kind, [](auto zero) {
    using Limits = std::numeric_limits<decltype(zero)>;
    return concat("an integer from ", Limits::min(), " to ", Limits::max());
  });
}

}  // namespace

bool is_single_value(const Type& type) { return type.kind <= Kind::kEnum; }

bool parse_value(const Type& type, std::string_view text, void* value) {
  if (type.kind == Kind::kString) {
    static_cast<std::string*>(value)->assign(text);
    return true;
  }
  text = without_blanks(text);
  switch (type.kind) {
    case Kind::kBool:
      return parse_bool(text, value);
    case Kind::kFloat:
      return parse_number<float>(text, value);
    case Kind::kDouble:
      return parse_number<double>(text, value);
    case Kind::kTimestamp:
      return parse_time(text, value);
    case Kind::kEnum:
      return parse_enum(type, text, value);
    default:
      return parse_integer(held_as(type), text, value);
  }
}

std::string expected_text(const Type& type) {
  switch (type.kind) {
    case Kind::kBool:
      return "true, false, 1 or 0";
    case Kind::kFloat:
    case Kind::kDouble:
      return "a number such as -12.5";
    case Kind::kTimestamp:
      return "ISO-8601 such as 2026-11-20T16:00:00.000Z, or milliseconds since 1970";
    case Kind::kEnum: {
      std::vector<std::string> names;
      for (const EnumName& named : type.names) names.emplace_back(named.name);
      return names.empty() ? integer_range(type.integer) : join(names, " or ");
    }
    default:
      return integer_range(held_as(type));
  }
}

void append_value(const Type& type, const void* value, std::string& out) {
  switch (type.kind) {
    case Kind::kString:
      out += *static_cast<const std::string*>(value);
      break;
    case Kind::kBool:
      out += *static_cast<const bool*>(value) ? "true" : "false";
      break;
    case Kind::kFloat:
      append_number<float>(value, out);
      break;
    case Kind::kDouble:
      append_number<double>(value, out);
      break;
    case Kind::kTimestamp:
      append_iso8601(out, *static_cast<const Timestamp*>(value));
      break;
    case Kind::kEnum: {
      const std::string_view name = enum_name(type, read_integer(type.integer, value));
      name.empty() ? append_integer(type.integer, value, out) : void(out += name);
      break;
    }
    default:
      append_integer(held_as(type), value, out);
  }
}

}  // namespace millrace::detail
