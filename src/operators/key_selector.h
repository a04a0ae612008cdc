// How the key of a record is found: a member, several members (their tuple), or a function. Hashing
// and comparing read the record in place; only a key that a table has not seen is copied.
#pragma once

#include <cstdint>
#include <tuple>
#include <type_traits>

#include "millrace/core/records/hash.h"

namespace millrace::detail {

template <class T, class M>
struct MemberKey {
  using Key = M;
  M T::*member;

  const M& key(const T& record) const { return record.*member; }
  std::uint64_t hash(const T& record) const { return hash_key(record.*member); }
  bool matches(const Key& key, const T& record) const { return key_equal(key, record.*member); }
  bool same(const T& a, const T& b) const { return key_equal(a.*member, b.*member); }
};

template <class T, class... M>
struct MembersKey {
  using Key = std::tuple<M...>;
  std::tuple<M T::*...> members;

  Key key(const T& record) const {
    return std::apply([&](auto... member) { return Key(record.*member...); }, members);
  }
  // As hash_key(key(record)), without the copy.
  std::uint64_t hash(const T& record) const {
    std::uint64_t hash = mix64(sizeof...(M));
    std::apply([&](auto... member) { ((hash = join_hash(hash, hash_key(record.*member))), ...); },
               members);
    return hash;
  }
  bool same(const T& a, const T& b) const {
    return std::apply([&](auto... member) { return (key_equal(a.*member, b.*member) && ...); },
                      members);
  }
  bool matches(const Key& key, const T& record) const {
    return std::apply(
        [&](auto... member) {
          return std::apply(
              [&](const auto&... part) { return (key_equal(part, record.*member) && ...); }, key);
        },
        members);
  }
};

template <class T, class F>
struct FunctionKey {
  using Key = std::remove_cvref_t<std::invoke_result_t<const F&, const T&>>;
  F function;

  decltype(auto) key(const T& record) const { return function(record); }
  std::uint64_t hash(const T& record) const { return hash_key(function(record)); }
  bool matches(const Key& key, const T& record) const {
    return key_equal(key, static_cast<const Key&>(function(record)));
  }
};

}  // namespace millrace::detail
