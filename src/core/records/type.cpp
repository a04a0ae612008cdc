#include "millrace/core/records/type.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "millrace/core/check.h"

namespace millrace::detail {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

int depth_change(char c) {
  if (c == '<' || c == '(' || c == '{' || c == '[') return 1;
  return c == '>' || c == ')' || c == '}' || c == ']' ? -1 : 0;
}

// The text up to the first of `ends`, or closing bracket, that stands outside all brackets.
std::string_view up_to(std::string_view text, std::string_view ends) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (depth == 0 && ends.find(text[i]) != std::string_view::npos) return text.substr(0, i);
    depth += depth_change(text[i]);
    if (depth < 0) return text.substr(0, i);
  }
  return text;
}

std::string_view last_word(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0 && is_word(text[begin - 1])) --begin;
  return text.substr(begin);
}

std::string_view after_scopes(std::string_view text) {
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += depth_change(text[i]);
    if (depth == 0 && text.substr(i, 2) == "::") begin = i + 2;
  }
  return text.substr(begin);
}

template <class T>
std::int64_t read_as(const void* value) {
  T typed;
  std::memcpy(&typed, value, sizeof typed);
  return static_cast<std::int64_t>(typed);
}

template <class T, class Number>
bool store_as(Number number, void* value) {
  if (!std::in_range<T>(number)) return false;
  const T typed = static_cast<T>(number);
  std::memcpy(value, &typed, sizeof typed);
  return true;
}

template <class Number>
bool store(Kind held_as, Number number, void* value) {
  switch (held_as) {
    case Kind::kBool:
      return number <= 1 && store_as<std::uint8_t>(number, value);
    case Kind::kUInt8:
      return store_as<std::uint8_t>(number, value);
    case Kind::kInt8:
      return store_as<std::int8_t>(number, value);
    case Kind::kInt16:
      return store_as<std::int16_t>(number, value);
    case Kind::kUInt16:
      return store_as<std::uint16_t>(number, value);
    case Kind::kInt32:
      return store_as<std::int32_t>(number, value);
    case Kind::kUInt32:
      return store_as<std::uint32_t>(number, value);
    case Kind::kUInt64:
      return store_as<std::uint64_t>(number, value);
    default:
      return store_as<std::int64_t>(number, value);
  }
}

}  // namespace

std::string_view to_string(Kind kind) {
  constexpr std::string_view kWords[] = {
      "bool",   "int8",     "int16", "int32",  "int64",  "uint8",     "uint16",
      "uint32", "uint64",   "float", "double", "string", "timestamp", "duration",
      "enum",   "optional", "list",  "array",  "map",    "variant",   "record"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::int64_t read_integer(Kind held_as, const void* value) {
  switch (held_as) {
    case Kind::kBool:
    case Kind::kUInt8:
      return read_as<std::uint8_t>(value);
    case Kind::kInt8:
      return read_as<std::int8_t>(value);
    case Kind::kInt16:
      return read_as<std::int16_t>(value);
    case Kind::kUInt16:
      return read_as<std::uint16_t>(value);
    case Kind::kInt32:
      return read_as<std::int32_t>(value);
    case Kind::kUInt32:
      return read_as<std::uint32_t>(value);
    default:
      return read_as<std::int64_t>(value);
  }
}

std::string_view enum_name(const Type& type, std::int64_t value) {
  if (static_cast<std::size_t>(value) < type.names.size() &&
      type.names[static_cast<std::size_t>(value)].value == value) {
    return type.names[static_cast<std::size_t>(value)].name;  // the usual enum counts from 0
  }
  for (const EnumName& named : type.names) {
    if (named.value == value) return named.name;
  }
  return {};
}

const EnumName* find_enum_name(const Type& type, std::string_view name) {
  const auto found = std::find_if(type.names.begin(), type.names.end(),
                                  [&](const EnumName& each) { return each.name == name; });
  return found == type.names.end() ? nullptr : &*found;
}

bool store_integer(Kind held_as, std::int64_t number, void* value) {
  return store(held_as, number, value);
}

bool store_unsigned(Kind held_as, std::uint64_t number, void* value) {
  return store(held_as, number, value);
}

std::string_view parse_type_name(std::string_view pretty) {
  const std::size_t begin = pretty.find("T = ");
  check(begin != std::string_view::npos, "the compiler's name of a type could not be read");
  const std::string_view name = after_scopes(up_to(pretty.substr(begin + 4), ";]"));
  return name.substr(0, name.find('<'));
}

void parse_field_names(std::string_view pretty, std::span<Field> fields) {
  constexpr std::string_view kMarker = "millrace_outside";
  for (Field& field : fields) {
    const std::size_t at = pretty.find(kMarker);
    check(at != std::string_view::npos, "the compiler's names of fields could not be read");
    pretty.remove_prefix(at + kMarker.size());
    field.name = last_word(up_to(pretty, ","));
    check(!field.name.empty(), "the compiler's name of a field could not be read");
  }
}

std::size_t parse_enum_names(std::string_view pretty, std::span<EnumName> names) {
  std::size_t begin = pretty.find("values = ");
  check(begin != std::string_view::npos, "the compiler's names of enumerators could not be read");
  pretty.remove_prefix(begin + 10);  // and the bracket
  std::size_t found = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view value = up_to(pretty, ",");
    if (!value.empty() && value.front() != '(') {
      names[found++] = {static_cast<std::int64_t>(i), last_word(value)};
    }
    pretty.remove_prefix(std::min(pretty.size(), value.size() + 2));
  }
  return found;
}

void check_field_names(std::span<const Field> fields) {
  for (const Field& field : fields) {
    check(!field.name.empty() && last_word(field.name) == field.name,
          "a field of a millrace::Record specialisation has a name that is no identifier");
  }
}

void name_by_position(std::span<Field> fields) {
  static constexpr std::string_view kNumbers =
      "00010203040506070809101112131415161718192021222324252627282930313233"
      "3435363738394041424344454647484950515253545556575859606162636465";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    fields[i].name = kNumbers.substr(2 * i + (i < 10 ? 1 : 0), i < 10 ? 1 : 2);
  }
}

void name_alternatives(std::span<Field> alternatives, std::span<std::string> names) {
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    const Type& type = alternatives[i].type();
    const std::string_view own = type.is_tuple()     ? "tuple"
                                 : type.name.empty() ? to_string(type.kind)
                                                     : type.name;
    names[i] = own;
    const auto taken = [&] { return std::find(&names[0], &names[i], names[i]) != &names[i]; };
    for (int n = 2; taken(); ++n) names[i] = std::string(own) + '_' + std::to_string(n);
    alternatives[i].name = names[i];
  }
}

}  // namespace millrace::detail
