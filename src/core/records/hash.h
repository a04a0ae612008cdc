// The hash and equality of keys. The hash decides which subtask and which row a key's state belongs
// to, so it is the same on every machine, in every build, for ever (docs/FORMATS.md):
//
//   integers, enums, bools, timestamps, durations   mix(value widened to 64 bits)
//   strings                                         XXH3, 64 bits, seed 0
//   structs, tuples, arrays, vectors, optionals     their parts, in order
//
// A signed integer is widened by its sign and an unsigned one by zeros, so a key's type may grow,
// and may become signed where its values are not above the signed type's.
#pragma once

#include <cstdint>
#include <string_view>

#include "millrace/core/records/reflect.h"

namespace millrace::detail {

std::uint64_t hash_text(std::string_view text);

// Bijective: murmur3's 64-bit finaliser of the value plus a constant, so that 0 does not hash to 0.
constexpr std::uint64_t mix64(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccd;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53;
  return value ^ (value >> 33);
}

// A sequence of n parts hashes to mix64(n), joined by each part's hash in turn.
constexpr std::uint64_t join_hash(std::uint64_t hash, std::uint64_t part) {
  return mix64(hash * 0xd6e8feb86659fd93 + part);
}

template <class K>
inline constexpr bool is_text =
    std::is_same_v<K, std::string> || std::is_same_v<K, std::string_view> ||
    std::is_same_v<std::decay_t<K>, const char*> || std::is_same_v<std::decay_t<K>, char*>;

template <class K>
inline constexpr bool is_time =
    std::is_same_v<K, Timestamp> || is_instance<K, std::chrono::duration>;

template <class K>
inline constexpr bool is_sequence = is_instance<K, std::vector> || is_std_array<K>;

// `Seen` are the types that are being checked already, for a key may contain itself.
template <class K, class... Seen>
consteval bool can_be_key();

template <class... Seen>
struct AllKeys {
  template <class... Parts>
  std::bool_constant<(can_be_key<Parts, Seen...>() && ...)> operator()(const Parts&...) const;
};

template <class... Alternatives, class Check>
auto check_alternatives(const std::variant<Alternatives...>*, Check check)
    -> decltype(check(std::declval<const Alternatives&>()...));

template <class K, class... Seen>
consteval bool can_be_key() {
  if constexpr ((std::is_same_v<K, Seen> || ...) || is_text<K>) {
    return true;
  } else if constexpr (refusal_of<K>() != Refusal::kNone || std::is_floating_point_v<K> ||
                       MapLike<K> || OwningPointer<K>) {
    return false;
  } else if constexpr (std::is_integral_v<K> || std::is_enum_v<K> || is_time<K>) {
    return true;
  } else if constexpr (is_sequence<K> || is_instance<K, std::optional>) {
    return can_be_key<typename K::value_type, K, Seen...>();
  } else if constexpr (is_instance<K, std::variant>) {
    return decltype(check_alternatives(static_cast<const K*>(nullptr),
                                       AllKeys<K, Seen...>()))::value;
  } else {
    return decltype(with_fields(std::declval<const K&>(), AllKeys<K, Seen...>()))::value;
  }
}

}  // namespace millrace::detail

namespace millrace {

template <class K>
inline constexpr bool is_key = detail::can_be_key<K>();

}  // namespace millrace

namespace millrace::detail {

template <class K>
constexpr void require_key() {
  static_assert(
      is_key<K>,
      "this type cannot be a key: use a bool, integer, enum, string or time, or a struct, "
      "tuple, optional, variant, vector or array of these; not floating point, not maps");
}

}  // namespace millrace::detail

namespace millrace {

template <class K>
constexpr std::uint64_t hash_key(const K& key) {
  using namespace detail;
  require_key<K>();
  if constexpr (!is_key<K>) {
    return 0;
  } else if constexpr (is_text<K>) {
    return hash_text(key);
  } else if constexpr (std::is_integral_v<K> || std::is_enum_v<K>) {
    return mix64(static_cast<std::uint64_t>(key));
  } else if constexpr (std::is_same_v<K, Timestamp>) {
    return hash_key(key.time_since_epoch());
  } else if constexpr (is_time<K>) {
    return hash_key(key.count());
  } else if constexpr (is_sequence<K>) {
    std::uint64_t hash = mix64(key.size());
    for (const auto& part : key) hash = join_hash(hash, hash_key(part));
    return hash;
  } else if constexpr (is_instance<K, std::optional>) {
    return key ? join_hash(mix64(1), hash_key(*key)) : mix64(0);
  } else if constexpr (is_instance<K, std::variant>) {
    const std::uint64_t index = join_hash(mix64(2), mix64(key.index()));
    return std::visit([&](const auto& value) { return join_hash(index, hash_key(value)); }, key);
  } else {
    return with_fields(key, [](const auto&... parts) {
      std::uint64_t hash = mix64(sizeof...(parts));
      ((hash = join_hash(hash, hash_key(parts))), ...);
      return hash;
    });
  }
}

template <class K, class L>
constexpr bool key_equal(const K& a, const L& b);

}  // namespace millrace

namespace millrace::detail {

template <class Variant, std::size_t... indices>
constexpr bool variant_equal(const Variant& a, const Variant& b, std::index_sequence<indices...>) {
  return a.index() == b.index() &&
         ((a.index() == indices &&
           key_equal(*std::get_if<indices>(&a), *std::get_if<indices>(&b))) ||
          ...);
}

}  // namespace millrace::detail

namespace millrace {

// Whether two keys are the same key. Plain structs need no operator==.
template <class K, class L>
constexpr bool key_equal(const K& a, const L& b) {
  using namespace detail;
  require_key<K>();
  if constexpr (!is_key<K>) {
    return false;
  } else if constexpr (is_text<K> && is_text<L>) {
    return std::string_view(a) == std::string_view(b);
  } else {
    static_assert(std::is_same_v<K, L>, "keys of different types cannot be compared");
    if constexpr (std::is_integral_v<K> || std::is_enum_v<K> || is_time<K>) {
      return a == b;
    } else if constexpr (is_sequence<K>) {
      bool equal = a.size() == b.size();
      for (std::size_t i = 0; equal && i < a.size(); ++i) equal = key_equal(a[i], b[i]);
      return equal;
    } else if constexpr (is_instance<K, std::optional>) {
      return a.has_value() == b.has_value() && (!a || key_equal(*a, *b));
    } else if constexpr (is_instance<K, std::variant>) {
      return variant_equal(a, b, std::make_index_sequence<std::variant_size_v<K>>());
    } else {
      return with_fields(a, [&](const auto&... of_a) {
        return with_fields(b, [&](const auto&... of_b) { return (key_equal(of_a, of_b) && ...); });
      });
    }
  }
}

}  // namespace millrace
