// What a job says about where its records come from and go to. A connector gives such a value, and
// Job::from() or Stream::to() takes it; source<F>() and sink<F>() make one of a class of one's own.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>

#include "millrace/operators/sink.h"
#include "millrace/operators/source.h"

namespace millrace::detail {

// A source without the type of its records.
struct AnySourceSpec {
  std::string name;  // empty: named after its kind
  std::string kind = "source";
  bool bounded = false;
  bool single = false;  // one subtask only
  OperatorFactory make;
  EnumeratorFactory enumerator;  // of a source with splits
};

}  // namespace millrace::detail

namespace millrace {

template <class T>
struct SourceSpec : detail::AnySourceSpec {
  using value_type = T;
};

struct SinkSpec {
  std::string name;
  std::string kind = "sink";
  bool single = false;
  detail::OperatorFactory make;
};

}  // namespace millrace

namespace millrace::detail {

// Makes an F of copies of the arguments, in place: F need not be movable.
template <class F, class... Arguments>
auto maker_of(Arguments&&... arguments) {
  static_assert(std::is_constructible_v<F, const std::decay_t<Arguments>&...>,
                "Millrace: the class cannot be made from copies of these arguments; each subtask "
                "gets an instance of its own");
  return [copies = std::tuple<std::decay_t<Arguments>...>(std::forward<Arguments>(arguments)...)] {
    return std::apply([](const auto&... copy) { return F(copy...); }, copies);
  };
}

// A sink that takes records of one type only.
template <class T>
struct TypedSink {
  SinkSpec spec;

  template <class Record>
  SinkSpec bind() const {
    static_assert(std::is_same_v<Record, T>,
                  "Millrace: the sink takes records of another type than the stream's");
    return spec;
  }
};

template <class F>
concept ReadInSplits = requires {
  typename F::Split;
};

}  // namespace millrace::detail

namespace millrace {

// A source of one's own; the arguments are those of F's constructor.
template <class F, class... Arguments>
SourceSpec<typename F::value_type> source(Arguments&&... arguments) {
  const auto make = detail::maker_of<F>(std::forward<Arguments>(arguments)...);
  SourceSpec<typename F::value_type> spec;
  spec.bounded = F::kBounded;
  if constexpr (detail::ReadInSplits<F>) {
    spec.make = [make] { return std::make_unique<detail::SplitSourceOperator<F>>(make); };
    spec.enumerator = [make] { return std::make_unique<detail::SplitSourceEnumerator<F>>(make); };
  } else {
    spec.single = true;
    spec.make = [make] { return std::make_unique<detail::SourceOperator<F>>(make); };
  }
  return spec;
}

// A sink of one's own; the arguments are those of F's constructor.
template <class F, class... Arguments>
auto sink(Arguments&&... arguments) {
  const auto make = detail::maker_of<F>(std::forward<Arguments>(arguments)...);
  SinkSpec spec;
  spec.make = [make] { return std::make_unique<detail::SinkOperator<F>>(make); };
  return detail::TypedSink<typename F::value_type>{std::move(spec)};
}

}  // namespace millrace
