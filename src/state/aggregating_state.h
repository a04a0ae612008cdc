// State that takes values in and keeps what they come to.
//
// A ReducingState keeps a value of their own type, by a function of two:
//
//   ReducingState<Cents> most_{*this, "most", [](Cents a, Cents b) { return std::max(a, b); }};
//   most_.add(payment.cents);
//   if (most_ && *most_ > limit) ...
//
// An AggregatingState keeps an accumulator, a plain struct with add(value), and perhaps result():
//
//   AggregatingState<Average> average_{*this, "average"};
//   average_.add(payment.cents);
//   average_->result();
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "millrace/state/value_state.h"

namespace millrace {

template <class T>
class ReducingState {
 public:
  using Reduce = std::function<T(const T&, const T&)>;

  template <class K>
  ReducingState(detail::StateOwner<K>& owner, std::string name, Reduce reduce,
                TimeToLive time_to_live = {})
      : reduce_(std::move(reduce)), value_(owner, std::move(name), time_to_live) {}

  bool has_value() const { return value_.has_value(); }
  explicit operator bool() const { return has_value(); }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.operator->(); }

  void add(T value) { value_ = value_ ? reduce_(*value_, value) : std::move(value); }
  void reset() { value_.reset(); }

 private:
  Reduce reduce_;
  ValueState<T> value_;
};

template <class Accumulator>
class AggregatingState {
 public:
  template <class K>
  AggregatingState(detail::StateOwner<K>& owner, std::string name, TimeToLive time_to_live = {})
      : accumulator_(owner, std::move(name), time_to_live) {}

  bool has_value() const { return accumulator_.has_value(); }
  explicit operator bool() const { return has_value(); }
  const Accumulator& operator*() const { return *accumulator_; }
  const Accumulator* operator->() const { return accumulator_.operator->(); }

  template <class V>
  void add(const V& value) {
    static_assert(
        requires(Accumulator a) { a.add(value); },
        "Millrace: an AggregatingState's accumulator has a function add(value)");
    accumulator_.edit().add(value);
  }
  void reset() { accumulator_.reset(); }

 private:
  ValueState<Accumulator> accumulator_;
};

}  // namespace millrace
