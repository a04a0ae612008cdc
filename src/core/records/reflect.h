// Compile-time reflection of plain structs: how many fields, references to each, their names.
//
// A plain struct is an aggregate of 0 to 64 members that have default values, without bases,
// C arrays, bit-fields and anonymous unions. A type that is none describes itself:
//
//   class Money { ...  friend struct millrace::Record<Money>; };
//   template <>
//   struct millrace::Record<Money> {
//     static constexpr std::tuple fields{field("cents", &Money::cents_)};
//   };
//
// What cannot be a field is refused by one static_assert of Accepted<T>, whose text says what to
// do.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "millrace/core/records/reflect_bindings.h"
#include "millrace/core/time.h"

namespace millrace {

// Specialise it to describe a type of yours that is not a plain struct.
template <class T>
struct Record {};

}  // namespace millrace

namespace millrace::detail {

template <class Class, class Value>
struct DescribedField {
  std::string_view name;
  Value Class::*member;
};

}  // namespace millrace::detail

namespace millrace {

template <class Class, class Value>
constexpr detail::DescribedField<Class, Value> field(std::string_view name, Value Class::*member) {
  return {name, member};
}

}  // namespace millrace

namespace millrace::detail {

constexpr std::size_t kMostFields = 64;
constexpr std::size_t kMostAlternatives = 255;

template <class T, template <class...> class Template>
inline constexpr bool is_instance = false;
template <class... Arguments, template <class...> class Template>
inline constexpr bool is_instance<Template<Arguments...>, Template> = true;

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t length>
inline constexpr bool is_std_array<std::array<T, length>> = true;

template <class T>
concept TupleLike = is_instance<T, std::tuple> || is_instance<T, std::pair>;

template <class T>
concept MapLike = requires(T& map) {
  typename T::mapped_type;
  map.try_emplace(std::declval<typename T::key_type>());
};

template <class T>
concept OwningPointer =
    is_instance<T, std::unique_ptr> && !std::is_array_v<typename T::element_type> &&
    std::is_same_v<typename T::deleter_type, std::default_delete<typename T::element_type>>;

template <class T>
concept OptionalLike = is_instance<T, std::optional> || OwningPointer<T>;

template <class T>
concept Described = requires {
  Record<T>::fields;
};

// Converts to anything, in unevaluated code only.
struct Anything {
  template <class T>
  operator T() const;
};

struct AnythingButUnion {
  template <class T>
  operator T() const;
  template <class T>
  requires(std::is_union_v<T>) operator T() const = delete;
};

template <class Derived>
struct AnyBaseOf {
  template <class Base>
  requires(std::is_base_of_v<Base, Derived> && !std::is_same_v<Base, Derived>) operator Base()
      const;
};

template <class T, class Initializer, std::size_t... indices>
consteval bool can_brace_with(std::index_sequence<indices...>) {
  return requires { T{((void)indices, Initializer{})...}; };
}
template <class T, class Initializer, std::size_t count>
inline constexpr bool can_brace = can_brace_with<T, Initializer>(std::make_index_sequence<count>());

// The most initialisers that T takes, by bisection: a T takes any smaller number too, since all its
// members have defaults. kMostFields + 1 stands for more.
template <class T, std::size_t low = 0, std::size_t high = kMostFields + 2>
consteval std::size_t count_initializers() {
  constexpr std::size_t middle = (low + high) / 2;
  if constexpr (middle == low) {
    return low;
  } else if constexpr (can_brace<T, Anything, middle>) {
    return count_initializers<T, middle, high>();
  } else {
    return count_initializers<T, low, middle>();
  }
}

template <class T>
inline constexpr std::size_t field_count = count_initializers<T>();

enum class Refusal {
  kNone,
  kConst,
  kReference,
  kPointer,
  kCArray,
  kStringView,
  kCharacter,
  kScalar,
  kVectorOfBool,
  kEmptyArray,
  kTimePoint,
  kDuration,
  kAlternatives,
  kUnion,
  kNotPlain,
  kNoDefault,
  kBase,
  kHoldsCArray,
  kHoldsUnion,
  kTooMany,
  kHoldsBitField,
};

struct TakeAny {
  template <class... Fields>
  constexpr void operator()(Fields&...) const {}
};

template <class T>
consteval Refusal refusal_of_aggregate() {
  if constexpr (!requires { T{}; }) {
    return Refusal::kNoDefault;
  } else if constexpr (requires { T{AnyBaseOf<T>{}}; }) {
    return Refusal::kBase;
  } else if constexpr (field_count<T> > kMostFields) {
    return Refusal::kTooMany;
  } else if constexpr (!can_brace_each<field_count<T>, T>()) {
    return Refusal::kHoldsCArray;
  } else if constexpr (!can_brace<T, AnythingButUnion, field_count<T>>) {
    return Refusal::kHoldsUnion;
  } else if constexpr (std::is_same_v<HoldsBitField, decltype(with_members<field_count<T>>(
                                                         std::declval<T&>(), TakeAny{}))>) {
    return Refusal::kHoldsBitField;
  } else {
    return Refusal::kNone;
  }
}

template <class T>
inline constexpr bool is_character =
    std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

template <class T>
consteval Refusal refusal_of_scalar() {
  if constexpr (is_character<T>) return Refusal::kCharacter;
  if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T>) return Refusal::kPointer;
  const bool known = std::is_enum_v<T> || std::is_integral_v<T> || std::is_same_v<T, float> ||
                     std::is_same_v<T, double>;
  return known ? Refusal::kNone : Refusal::kScalar;
}

// Standard types that are known, and those for which there is a better advice than "no plain
// struct".
template <class T>
struct KnownClass {
  static constexpr bool known = MapLike<T> || OptionalLike<T>;
  static constexpr Refusal refusal = Refusal::kNone;
};
template <>
struct KnownClass<std::string> {
  static constexpr bool known = true;
  static constexpr Refusal refusal = Refusal::kNone;
};
template <class Character, class Traits>
struct KnownClass<std::basic_string_view<Character, Traits>> {
  static constexpr bool known = true;
  static constexpr Refusal refusal = Refusal::kStringView;
};
template <class T, class Allocator>
struct KnownClass<std::vector<T, Allocator>> {
  static constexpr bool known = true;
  static constexpr Refusal refusal =
      std::is_same_v<T, bool> ? Refusal::kVectorOfBool : Refusal::kNone;
};
template <class T, std::size_t length>
struct KnownClass<std::array<T, length>> {
  static constexpr bool known = true;
  static constexpr Refusal refusal = length == 0 ? Refusal::kEmptyArray : Refusal::kNone;
};
template <class Representation, class Period>
struct KnownClass<std::chrono::duration<Representation, Period>> {
  static constexpr bool known = true;
  static constexpr Refusal refusal =
      std::is_integral_v<Representation> ? Refusal::kNone : Refusal::kDuration;
};
template <class AnyClock, class AnyDuration>
struct KnownClass<std::chrono::time_point<AnyClock, AnyDuration>> {
  static constexpr bool known = true;
  static constexpr Refusal refusal =
      std::is_same_v<std::chrono::time_point<AnyClock, AnyDuration>, Timestamp>
          ? Refusal::kNone
          : Refusal::kTimePoint;
};
template <class... Alternatives>
struct KnownClass<std::variant<Alternatives...>> {
  static constexpr bool known = true;
  static constexpr Refusal refusal =
      sizeof...(Alternatives) <= kMostAlternatives ? Refusal::kNone : Refusal::kAlternatives;
};

template <class T>
consteval Refusal refusal_of() {
  if constexpr (std::is_reference_v<T>) {
    return Refusal::kReference;
  } else if constexpr (std::is_const_v<T> || std::is_volatile_v<T>) {
    return Refusal::kConst;
  } else if constexpr (std::is_array_v<T>) {
    return Refusal::kCArray;
  } else if constexpr (std::is_scalar_v<T>) {
    return refusal_of_scalar<T>();
  } else if constexpr (std::is_union_v<T>) {
    return Refusal::kUnion;
  } else if constexpr (TupleLike<T>) {
    return std::tuple_size_v<T> <= kMostFields ? Refusal::kNone : Refusal::kTooMany;
  } else if constexpr (KnownClass<T>::known) {
    return KnownClass<T>::refusal;
  } else if constexpr (Described<T>) {
    return Refusal::kNone;
  } else if constexpr (!std::is_aggregate_v<T>) {
    return Refusal::kNotPlain;
  } else {
    return refusal_of_aggregate<T>();
  }
}

// clang-format off
template <class T, Refusal refusal = refusal_of<T>()>
struct Accepted {
  using enum Refusal;
  static constexpr bool value = refusal == kNone;
  static_assert(refusal != kConst, "a field of a record cannot be const: drop the const, so that a record can be read into");
  static_assert(refusal != kReference, "a field of a record cannot be a reference: hold the value itself");
  static_assert(refusal != kPointer, "a field of a record cannot be a pointer: hold the value itself, std::optional, or std::unique_ptr to own it");
  static_assert(refusal != kCArray, "a field of a record cannot be a C array: use std::array or std::string");
  static_assert(refusal != kStringView, "a field of a record cannot be a string_view, which owns nothing: use std::string");
  static_assert(refusal != kCharacter, "a field of a record cannot be a character: use std::string, or std::int8_t for a small number");
  static_assert(refusal != kScalar, "this type cannot be a field of a record: use bool, an integer of up to 64 bits, float or double");
  static_assert(refusal != kVectorOfBool, "a field of a record cannot be a vector<bool>, which holds no bools: use std::vector<std::uint8_t>");
  static_assert(refusal != kEmptyArray, "a field of a record cannot be a std::array without elements: remove the field");
  static_assert(refusal != kTimePoint, "a field of a record cannot be this time_point: use millrace::Timestamp");
  static_assert(refusal != kDuration, "a field of a record cannot be a duration of fractions: use a duration of integers such as std::chrono::milliseconds");
  static_assert(refusal != kAlternatives, "a variant in a record has at most 255 alternatives: group some of them in structs");
  static_assert(refusal != kUnion, "a union cannot be part of a record: use std::variant");
  static_assert(refusal != kNotPlain, "this type is no plain struct, for it has constructors, private members or virtual functions: make it a struct of public members, or describe it by specialising millrace::Record");
  static_assert(refusal != kNoDefault, "a record has a member without a default value, such as a reference: hold values that can be default constructed");
  static_assert(refusal != kBase, "a record cannot have base classes: hold what is in the base as a field, or describe the type by specialising millrace::Record");
  static_assert(refusal != kHoldsCArray, "a record cannot hold a C array: use std::array or std::string");
  static_assert(refusal != kHoldsUnion, "a record cannot hold a union: use std::variant");
  static_assert(refusal != kTooMany, "a record has at most 64 fields: group some of them in structs of their own");
  static_assert(refusal != kHoldsBitField, "a record cannot hold a bit-field: make it a whole integer or a bool");
};
// clang-format on

template <class T>
inline constexpr bool is_accepted = Accepted<T>::value;

// use(member...) with a reference to each field of an accepted record, tuple or described type.
template <class T, class Use>
constexpr decltype(auto) with_fields(T& value, Use&& use) {
  using Plain = std::remove_const_t<T>;
  if constexpr (TupleLike<Plain>) {
    return std::apply(use, value);
  } else if constexpr (Described<Plain>) {
    return std::apply([&](const auto&... described) { return use(value.*described.member...); },
                      Record<Plain>::fields);
  } else {
    return with_members<field_count<Plain>>(value, use);
  }
}

// An object that is declared alone: pointers to its members are constants, and their text names
// them.
template <class T>
struct Outside {
  T value;
};
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
template <class T>
extern const Outside<T> millrace_outside;

struct MemberPointer {
  const void* address;
};

template <std::size_t count>
struct MemberPointers {
  MemberPointer at[count];
};

struct PointAtMembers {
  template <class... Fields>
  constexpr MemberPointers<sizeof...(Fields)> operator()(Fields&... fields) const {
    return {{{&fields}...}};
  }
};

template <class T>
consteval auto member_pointers() {  // a function, for a variable would be emitted and not link
  return with_members<field_count<T>>(millrace_outside<T>.value, PointAtMembers{});
}

template <MemberPointer... pointers>
constexpr std::string_view text_of_pointers() {
  return __PRETTY_FUNCTION__;
}

// Text from which parse_field_names() reads the names of an aggregate's fields.
template <class T, std::size_t... indices>
constexpr std::string_view text_of_fields(std::index_sequence<indices...>) {
  return text_of_pointers<member_pointers<T>().at[indices]...>();
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

template <class T>
constexpr std::string_view text_of_type() {
  return __PRETTY_FUNCTION__;
}

constexpr std::size_t kNamedEnumerators = 128;

template <auto... values>
constexpr std::string_view text_of_values() {
  return __PRETTY_FUNCTION__;
}

template <class Enum, std::size_t... indices>
constexpr std::string_view text_of_enum(std::index_sequence<indices...>) {
  using Integer = std::underlying_type_t<Enum>;
  return text_of_values<__builtin_bit_cast(Enum, static_cast<Integer>(indices))...>();
}

}  // namespace millrace::detail
