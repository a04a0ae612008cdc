// The run-time side of reflection: one constant table per type, which says how its values lie in
// memory. The codec, schemas, JSON, CSV and printing are plain code that walks these tables; only
// the tables themselves are made by templates (record.h).
//
// A table is immutable, lives as long as the process and may be read from any thread. Two types
// are the same exactly if their tables have the same address. Types may contain themselves through
// a container, so element types are reached through functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace millrace::detail {

enum class Kind : std::uint8_t {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kFloat,
  kDouble,
  kString,
  kTimestamp,  // millrace::Timestamp
  kDuration,   // std::chrono::duration of an integer
  kEnum,
  kOptional,  // std::optional, or std::unique_ptr as the move-only and recursive one
  kList,      // std::vector
  kArray,     // std::array
  kMap,       // std::map and std::unordered_map
  kVariant,
  kRecord,  // plain struct, described type; std::tuple and std::pair have no name
};

// The word that schemas and messages use, such as "int64".
std::string_view to_string(Kind kind);

constexpr bool is_signed_integer(Kind kind) { return kind >= Kind::kInt8 && kind <= Kind::kInt64; }
constexpr bool is_unsigned_integer(Kind kind) {
  return kind >= Kind::kUInt8 && kind <= Kind::kUInt64;
}

struct Type;
using TypeFunction = const Type& (*)();

struct Field {
  std::string_view name;
  std::size_t offset = 0;  // 0 in a variant
  TypeFunction type = nullptr;
};

struct EnumName {
  std::int64_t value = 0;
  std::string_view name;
};

struct ConstElements {
  const void* data = nullptr;
  std::size_t size = 0;
};

struct OptionalOperations {
  const void* (*get)(const void* optional) = nullptr;  // null where empty
  void* (*emplace)(void* optional) = nullptr;          // keeps a value that is there
  void (*reset)(void* optional) = nullptr;
};

struct ListOperations {
  ConstElements (*elements)(const void* list) = nullptr;
  void* (*resize)(void* list, std::size_t size) = nullptr;  // returns the first element
};

struct MapOperations {
  std::size_t (*size)(const void* map) = nullptr;
  // Fills in the addresses of size() keys and values, in the map's own order.
  void (*entries)(const void* map, const void** keys, const void** values) = nullptr;
  void (*clear)(void* map) = nullptr;
  void* (*make_keys)(std::size_t count) = nullptr;  // an array of default keys ...
  void (*delete_keys)(void* keys) = nullptr;        // ... and its end
  // Moves the key in; returns its value's address, which stays valid, or null for a known key.
  void* (*insert)(void* map, void* key) = nullptr;
};

struct VariantOperations {
  std::size_t (*index)(const void* variant) = nullptr;  // beyond the alternatives if valueless
  const void* (*get)(const void* variant) = nullptr;
  void* (*emplace)(void* variant, std::size_t index) = nullptr;  // keeps a value of that index
};

struct Type {
  Kind kind = Kind::kBool;
  Kind integer = Kind::kInt64;  // kEnum, kDuration: how the value is held
  std::string_view name;        // record or enum, without scopes and template arguments
  std::size_t size = 0;
  std::size_t alignment = 0;
  std::size_t length = 0;  // kArray
  std::int64_t period_numerator = 1;
  std::int64_t period_denominator = 1;  // kDuration: seconds per tick
  TypeFunction element = nullptr;       // kOptional, kList, kArray; kMap: of its values
  TypeFunction key = nullptr;           // kMap
  std::span<const Field> fields;        // kRecord; kVariant: its alternatives
  std::span<const EnumName> names;      // kEnum: the named values from 0 to 127

  const OptionalOperations* optional = nullptr;
  const ListOperations* list = nullptr;
  const MapOperations* map = nullptr;
  const VariantOperations* variant = nullptr;
  void (*reset)(void* value) = nullptr;  // kRecord: back to the members' defaults

  bool is_tuple() const { return kind == Kind::kRecord && name.empty(); }
};

// The kind that a value is held as: of its integer for an enum, duration or timestamp, else its
// own.
constexpr Kind held_as(Kind kind, Kind integer) {
  if (kind == Kind::kTimestamp) return Kind::kInt64;
  return kind == Kind::kEnum || kind == Kind::kDuration ? integer : kind;
}
constexpr Kind held_as(const Type& type) { return held_as(type.kind, type.integer); }

// The value of a bool, integer, enum, timestamp or duration; unsigned ones keep their bits.
std::int64_t read_integer(Kind held_as, const void* value);

// Stores an integer, unless it is out of the kind's range.
bool store_integer(Kind held_as, std::int64_t number, void* value);
bool store_unsigned(Kind held_as, std::uint64_t number, void* value);

// The name of an enum's value; empty if it has none.
std::string_view enum_name(const Type& type, std::int64_t value);
// The value that has the name, or null.
const EnumName* find_enum_name(const Type& type, std::string_view name);

// Readers of __PRETTY_FUNCTION__, as g++ and clang spell it.

// `... [with T = ns::Box<int>]` -> "Box"
std::string_view parse_type_name(std::string_view pretty);
// Names the fields after the members to which the pointers in the text point (reflect.h).
void parse_field_names(std::string_view pretty, std::span<Field> fields);
// `... [with auto ...values = {Color::kRed, (Color)1}]` -> {0, "kRed"}; returns how many.
std::size_t parse_enum_names(std::string_view pretty, std::span<EnumName> names);
// A described type's names must be identifiers, as a struct's are: schemas and JSON rely on it.
void check_field_names(std::span<const Field> fields);
// Names the elements of a tuple "0", "1", ...
void name_by_position(std::span<Field> fields);
// Names alternatives by their types ("int64", "Deposit"); a second one of a name becomes "int64_2".
void name_alternatives(std::span<Field> alternatives, std::span<std::string> names);

}  // namespace millrace::detail
