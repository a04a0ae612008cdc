// What rolling aggregates do with a record: sum, minimum, maximum, and any function of two.
#pragma once

#include <type_traits>
#include <utility>

namespace millrace::detail {

// What Combine does to the accumulated record when a further one of its key arrives. kKeeps<M>
// tells that it never changes a member of type M; kCheap, that doing it twice costs less than
// waiting until the record can be read after it was partly written.
template <class T, class M>
struct SumOf {
  static constexpr bool kCheap = true;
  template <class Other>
  static constexpr bool kKeeps = !std::is_same_v<Other, M>;
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if constexpr (std::is_integral_v<M> && !std::is_same_v<M, bool>) {
      using Bits = std::make_unsigned_t<M>;  // beyond its range a sum wraps around, as in Flink
      accumulated.*member =
          static_cast<M>(static_cast<Bits>(accumulated.*member) + static_cast<Bits>(value.*member));
    } else {
      accumulated.*member += value.*member;
    }
  }
};
template <class T, class M>
struct MinOf {
  static constexpr bool kCheap = true;
  template <class Other>
  static constexpr bool kKeeps = !std::is_same_v<Other, M>;
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (value.*member < accumulated.*member) accumulated.*member = value.*member;
  }
};
template <class T, class M>
struct MaxOf {
  static constexpr bool kCheap = true;
  template <class Other>
  static constexpr bool kKeeps = !std::is_same_v<Other, M>;
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (accumulated.*member < value.*member) accumulated.*member = value.*member;
  }
};
// The whole record that holds the extreme; of several the first.
template <class T, class M>
struct MinByOf {
  static constexpr bool kCheap = false;
  template <class>
  static constexpr bool kKeeps = true;  // all records of an entry have the same key
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (value.*member < accumulated.*member) accumulated = value;
  }
};
template <class T, class M>
struct MaxByOf {
  static constexpr bool kCheap = false;
  template <class>
  static constexpr bool kKeeps = true;  // all records of an entry have the same key
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (accumulated.*member < value.*member) accumulated = value;
  }
};
template <class T, class F>
struct ReduceBy {
  static constexpr bool kCheap = false;
  template <class>
  static constexpr bool kKeeps = false;
  F function;
  void operator()(T& accumulated, const T& value) const {
    accumulated = function(std::as_const(accumulated), value);
  }
};

}  // namespace millrace::detail
