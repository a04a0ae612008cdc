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
struct FunctionParameters;
template <class R, class... A>
struct FunctionParameters<R (*)(A...)> {
  template <std::size_t I>
  using at = std::tuple_element_t<I, std::tuple<A...>>;
  static constexpr std::size_t kCount = sizeof...(A);
};
template <class C, class R, class... A>
struct FunctionParameters<R (C::*)(A...) const> : FunctionParameters<R (*)(A...)> {};
template <class C, class R, class... A>
struct FunctionParameters<R (C::*)(A...) const noexcept> : FunctionParameters<R (*)(A...)> {};
template <class F>
requires requires { &F::operator(); }
struct FunctionParameters<F> : FunctionParameters<decltype(&F::operator())> {};

// The X of a function whose last parameter is a Collector<X>&.
template <class F>
concept TakesCollector = requires {
  typename CollectorValue<
      typename FunctionParameters<F>::template at<FunctionParameters<F>::kCount - 1>>::type;
};
template <TakesCollector F>
using CollectedBy = typename CollectorValue<
    typename FunctionParameters<F>::template at<FunctionParameters<F>::kCount - 1>>::type;

}  // namespace millrace::detail
