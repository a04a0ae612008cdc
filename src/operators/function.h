// What a user's function takes and gives, for the operators that run it and the API that checks it.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "millrace/operators/collector.h"

namespace millrace::detail {

template <class T>
struct CollectorValue {};
template <class T>
struct CollectorValue<Collector<T>&> {
  using type = T;
};

// The types of a callable's parameters; not there for a generic lambda or an overloaded functor.
template <class F>
struct Parameters;
template <class R, class... A>
struct Parameters<R (*)(A...)> {
  template <std::size_t I>
  using at = std::tuple_element_t<I, std::tuple<A...>>;
  static constexpr std::size_t kCount = sizeof...(A);
};
template <class C, class R, class... A>
struct Parameters<R (C::*)(A...) const> : Parameters<R (*)(A...)> {};
template <class C, class R, class... A>
struct Parameters<R (C::*)(A...) const noexcept> : Parameters<R (*)(A...)> {};
template <class F>
requires requires { &F::operator(); }
struct Parameters<F> : Parameters<decltype(&F::operator())> {};

// The X of a function whose last parameter is a Collector<X>&.
template <class F>
concept TakesCollector = requires {
  typename CollectorValue<typename Parameters<F>::template at<Parameters<F>::kCount - 1>>::type;
};
template <TakesCollector F>
using Collected =
    typename CollectorValue<typename Parameters<F>::template at<Parameters<F>::kCount - 1>>::type;

}  // namespace millrace::detail
