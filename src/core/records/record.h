// type_of<T>(): the run-time table of a plain struct, or of anything that may be a field of one.
//
//   struct Payment { std::string account; std::int64_t cents; Timestamp at; };
//   type_of<Payment>().fields[1].name == "cents"
//
// The table is made once, when it is first asked for; any thread may ask. What cannot be a record
// does not compile, with a sentence that says what to do (reflect.h).
#pragma once

#include "millrace/core/records/reflect.h"
#include "millrace/core/records/type.h"

namespace millrace {

template <class T>
const detail::Type& type_of();

}  // namespace millrace

namespace millrace::detail {

template <class T>
consteval Kind integer_kind() {
  if constexpr (std::is_same_v<T, bool>) return Kind::kBool;
  constexpr int width = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
  const Kind first = std::is_signed_v<T> ? Kind::kInt8 : Kind::kUInt8;
  return static_cast<Kind>(static_cast<int>(first) + width);
}

template <class T>
T& as(void* value) {
  return *static_cast<T*>(value);
}
template <class T>
const T& as(const void* value) {
  return *static_cast<const T*>(value);
}

template <class T>
void reset_to_default(void* value) {
  std::destroy_at(&as<T>(value));
  ::new (value) T{};
}

template <class Optional, class T>
inline constexpr OptionalOperations kOptionalOperations{
    .get = [](const void* optional) -> const void* {
      return as<Optional>(optional) ? &*as<Optional>(optional) : nullptr;
    },
    .emplace = [](void* optional) -> void* {
      Optional& typed = as<Optional>(optional);
      if constexpr (OwningPointer<Optional>) {
        if (!typed) typed = std::make_unique<T>();
      } else {
        if (!typed) typed.emplace();
      }
      return const_cast<std::remove_const_t<T>*>(&*typed);
    },
    .reset = [](void* optional) { as<Optional>(optional).reset(); },
};

template <class List>
inline constexpr ListOperations kListOperations{
    .elements = [](const void* list) -> ConstElements {
      return {as<List>(list).data(), as<List>(list).size()};
    },
    .resize = [](void* list, std::size_t size) -> void* {
      as<List>(list).resize(size);
      return as<List>(list).data();
    },
};

template <class Map, class Key = typename Map::key_type>
inline constexpr MapOperations kMapOperations{
    .size = [](const void* map) { return as<Map>(map).size(); },
    .entries =
        [](const void* map, const void** keys, const void** values) {
          for (const auto& [key, value] : as<Map>(map)) *keys++ = &key, *values++ = &value;
        },
    .clear = [](void* map) { as<Map>(map).clear(); },
    .make_keys = [](std::size_t count) -> void* { return new Key[count](); },
    .delete_keys = [](void* keys) { delete[] static_cast<Key*>(keys); },
    .insert = [](void* map, void* key) -> void* {
      const auto [entry, is_new] = as<Map>(map).try_emplace(std::move(as<Key>(key)));
      return is_new ? &entry->second : nullptr;
    },
};

template <class Variant>
struct VariantFunctions {
  static const void* get(const void* variant) {
    return std::visit([](const auto& value) -> const void* { return &value; },
                      as<Variant>(variant));
  }
  template <std::size_t index>
  static void* emplace_at(Variant& variant) {
    if (variant.index() != index) variant.template emplace<index>();
    return std::get_if<index>(&variant);
  }
  template <std::size_t... indices>
  static void* emplace_any(Variant& variant, std::size_t index, std::index_sequence<indices...>) {
    static constexpr void* (*kEach[])(Variant&) = {&emplace_at<indices>...};
    return kEach[index](variant);
  }
  static void* emplace(void* variant, std::size_t index) {
    return emplace_any(as<Variant>(variant), index,
                       std::make_index_sequence<std::variant_size_v<Variant>>());
  }
};

template <class Variant>
inline constexpr VariantOperations kVariantOperations{
    .index = [](const void* variant) { return as<Variant>(variant).index(); },
    .get = &VariantFunctions<Variant>::get,
    .emplace = &VariantFunctions<Variant>::emplace,
};

template <class... Alternatives>
std::span<const Field> alternatives_of(const std::variant<Alternatives...>*) {
  constexpr std::size_t count = sizeof...(Alternatives);
  static std::string names[count];
  static const std::array<Field, count> table = [] {
    std::array<Field, count> made{Field{{}, 0, &type_of<Alternatives>}...};
    name_alternatives(made, names);
    return made;
  }();
  return table;
}

template <class T>
union Unborn {  // somewhere for members to lie, where their offsets are taken
  Unborn() {}
  ~Unborn() {}
  char nothing;
  T value;
};

struct DescribeMembers {
  const void* base;

  template <class... Fields>
  std::array<Field, sizeof...(Fields)> operator()(Fields&... fields) const {
    return {Field{{}, offset(std::addressof(fields)), &type_of<Fields>}...};
  }
  std::size_t offset(const void* member) const {
    return static_cast<std::size_t>(static_cast<const char*>(member) -
                                    static_cast<const char*>(base));
  }
};

template <class T>
void name_fields(std::span<Field> fields) {
  if constexpr (TupleLike<T>) {
    name_by_position(fields);
  } else if constexpr (Described<T>) {
    std::size_t i = 0;
    std::apply([&](const auto&... described) { ((fields[i++].name = described.name), ...); },
               Record<T>::fields);
  } else {
    if constexpr (field_count < T >> 0) {
      parse_field_names(text_of_fields<T>(std::make_index_sequence<field_count<T>>()), fields);
    }
  }
}

template <class T>
std::span<const Field> fields_of() {
  static const auto table = [] {
    Unborn<T> unborn;
    auto made = with_fields(unborn.value, DescribeMembers{&unborn.value});
    name_fields<T>(made);
    return made;
  }();
  return table;
}

template <class T>
std::span<const EnumName> enum_names_of() {
  using Integer = std::underlying_type_t<T>;
  constexpr std::size_t tried = std::is_same_v<Integer, bool> ? 2 : kNamedEnumerators;
  static std::array<EnumName, tried> table;
  static const std::size_t count =
      parse_enum_names(text_of_enum<T>(std::make_index_sequence<tried>()), table);
  return std::span(table).first(count);
}

template <class T>
void describe_container(Type& type) {
  if constexpr (OptionalLike<T>) {
    using Value = std::remove_reference_t<decltype(*std::declval<T&>())>;
    type.kind = Kind::kOptional;
    type.element = &type_of<Value>;
    type.optional = &kOptionalOperations<T, Value>;
  } else if constexpr (is_instance<T, std::vector>) {
    type.kind = Kind::kList;
    type.element = &type_of<typename T::value_type>;
    type.list = &kListOperations<T>;
  } else if constexpr (is_std_array<T>) {
    type.kind = Kind::kArray;
    type.element = &type_of<typename T::value_type>;
    type.length = std::tuple_size_v<T>;
  } else if constexpr (is_instance<T, std::variant>) {
    type.kind = Kind::kVariant;
    type.fields = alternatives_of(static_cast<const T*>(nullptr));
    type.variant = &kVariantOperations<T>;
  } else {
    type.kind = Kind::kMap;
    type.key = &type_of<typename T::key_type>;
    type.element = &type_of<typename T::mapped_type>;
    type.map = &kMapOperations<T>;
  }
}

template <class T>
void describe_record(Type& type) {
  type.kind = Kind::kRecord;
  if constexpr (!TupleLike<T>) type.name = parse_type_name(text_of_type<T>());
  type.fields = fields_of<T>();
  type.reset = &reset_to_default<T>;
}

template <class T>
inline constexpr bool is_container = OptionalLike<T> || is_instance<T, std::vector> ||
                                     is_std_array<T> || is_instance<T, std::variant> || MapLike<T>;

template <class T>
void describe(Type& type) {
  if constexpr (std::is_integral_v<T>) {
    type.kind = integer_kind<T>();
  } else if constexpr (std::is_enum_v<T>) {
    type.kind = Kind::kEnum;
    type.integer = integer_kind<std::underlying_type_t<T>>();
    type.name = parse_type_name(text_of_type<T>());
    type.names = enum_names_of<T>();
  } else if constexpr (std::is_floating_point_v<T>) {
    type.kind = sizeof(T) == sizeof(float) ? Kind::kFloat : Kind::kDouble;
  } else if constexpr (std::is_same_v<T, std::string>) {
    type.kind = Kind::kString;
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    type.kind = Kind::kTimestamp;
  } else if constexpr (is_instance<T, std::chrono::duration>) {
    type.kind = Kind::kDuration;
    type.integer = integer_kind<typename T::rep>();
    type.period_numerator = T::period::num;
    type.period_denominator = T::period::den;
  } else if constexpr (is_container<T>) {
    describe_container<T>(type);
  } else {
    describe_record<T>(type);
  }
}

}  // namespace millrace::detail

namespace millrace {

template <class T>
const detail::Type& type_of() {
  static const detail::Type type = [] {
    detail::Type made;
    if constexpr (detail::is_accepted<T>) {
      made.size = sizeof(T);
      made.alignment = alignof(T);
      detail::describe<T>(made);
    }
    return made;
  }();
  return type;
}

}  // namespace millrace
