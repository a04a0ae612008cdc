// The bytes of a key in a row of state. They say the same for a key whose type has grown: integers
// are widened to 64 bits, as the hash does. They tell where they end, so that an entry's own key
// may follow (docs/FORMATS.md).
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "millrace/core/records/hash.h"

namespace millrace::detail {

inline void append_word(std::string& out, std::uint64_t word) {
  char bytes[sizeof word];
  std::memcpy(bytes, &word, sizeof word);
  out.append(bytes, sizeof bytes);
}
bool read_word(std::string_view& in, std::uint64_t& word);
void append_text(std::string& out, std::string_view text);
bool read_text(std::string_view& in, std::string& text);

template <class K>
void append_key(std::string& out, const K& key) {
  if constexpr (is_text<K>) {
    append_text(out, key);
  } else if constexpr (std::is_integral_v<K> || std::is_enum_v<K>) {
    append_word(out, static_cast<std::uint64_t>(key));
  } else if constexpr (std::is_same_v<K, Timestamp>) {
    append_key(out, key.time_since_epoch());
  } else if constexpr (is_time<K>) {
    append_key(out, key.count());
  } else if constexpr (is_instance<K, std::optional>) {
    append_word(out, key.has_value());
    if (key) append_key(out, *key);
  } else if constexpr (is_instance<K, std::variant>) {
    append_word(out, key.index());
    std::visit([&](const auto& alternative) { append_key(out, alternative); }, key);
  } else if constexpr (is_sequence<K>) {
    append_word(out, key.size());
    for (const auto& part : key) append_key(out, static_cast<const typename K::value_type&>(part));
  } else {
    with_fields(key, [&](const auto&... fields) { (append_key(out, fields), ...); });
  }
}

template <class... Alternatives>
bool read_alternative(std::string_view& in, std::uint64_t index,
                      std::variant<Alternatives...>& key);
template <class K>
bool read_sequence(std::string_view& in, K& key);

// Takes a key off the front; false if the bytes are none.
template <class K>
bool read_key(std::string_view& in, K& key) {
  std::uint64_t word = 0;
  if constexpr (is_text<K>) {
    return read_text(in, key);
  } else if constexpr (std::is_integral_v<K> || std::is_enum_v<K>) {
    if (!read_word(in, word)) return false;
    key = static_cast<K>(word);
    return true;
  } else if constexpr (std::is_same_v<K, Timestamp>) {
    if (!read_word(in, word)) return false;
    key = Timestamp(Duration(static_cast<std::int64_t>(word)));
    return true;
  } else if constexpr (is_time<K>) {
    if (!read_word(in, word)) return false;
    key = K(static_cast<typename K::rep>(word));
    return true;
  } else if constexpr (is_instance<K, std::optional>) {
    key.reset();
    return read_word(in, word) && (word == 0 || read_key(in, key.emplace()));
  } else if constexpr (is_instance<K, std::variant>) {
    return read_word(in, word) && read_alternative(in, word, key);
  } else if constexpr (is_sequence<K>) {
    return read_sequence(in, key);
  } else {
    return with_fields(key, [&](auto&... fields) { return (read_key(in, fields) && ...); });
  }
}

template <class... Alternatives>
bool read_alternative(std::string_view& in, std::uint64_t index,
                      std::variant<Alternatives...>& key) {
  std::uint64_t number = 0;
  bool read = false;
  const auto try_one = [&]<class A>(std::type_identity<A>) {
    if (number++ != index) return;
    A alternative{};
    read = read_key(in, alternative);
    if (read) key = std::move(alternative);
  };
  (try_one(std::type_identity<Alternatives>()), ...);
  return read;
}

template <class K>
bool read_sequence(std::string_view& in, K& key) {
  std::uint64_t size = 0;
  if (!read_word(in, size) || size > in.size()) return false;
  if constexpr (is_std_array<K>) {
    if (size != key.size()) return false;
  } else {
    key.resize(size);
  }
  for (std::size_t i = 0; i < size; ++i) {
    typename K::value_type part{};
    if (!read_key(in, part)) return false;
    key[i] = std::move(part);
  }
  return true;
}

}  // namespace millrace::detail
