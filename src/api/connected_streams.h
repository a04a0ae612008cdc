// Two streams as the inputs of one operator, by key or without; the second one perhaps broadcast.
#pragma once

#include <type_traits>
#include <utility>

#include "millrace/api/keyed_stream.h"
#include "millrace/operators/broadcast_process.h"
#include "millrace/operators/two_inputs.h"

namespace millrace {

// Two streams in one operator.
template <class First, class Second>
class ConnectedStreams {
 public:
  // One result for each record of either stream; both functions give the same type.
  template <class F, class G>
  auto map(F first, G second) const {
    static_assert(
        std::is_invocable_v<const F&, const First&> && std::is_invocable_v<const G&, const Second&>,
        "Millrace: map on connected streams takes a function of each stream's `const Record&`, "
        "neither of them mutable");
    using Out = std::remove_cvref_t<std::invoke_result_t<const F&, const First&>>;
    static_assert(
        std::is_same_v<Out, std::remove_cvref_t<std::invoke_result_t<const G&, const Second&>>>,
        "Millrace: both functions of map on connected streams must give the same type");
    return add_pair<Out>("co_map", std::move(first), std::move(second), [](const F& f, const G& g) {
      using A = detail::MapOperator<First, Out, F>;
      using B = detail::MapOperator<Second, Out, G>;
      return std::make_unique<detail::TwoInputOperator<A, B>>(A(f), B(g));
    });
  }

  // Any number of results for each record of either stream.
  template <class F, class G>
  auto flat_map(F first, G second) const {
    static_assert(detail::TakesCollector<F> && detail::TakesCollector<G>,
                  "Millrace: the last parameter of flat_map's functions must be spelled "
                  "`Collector<Result>&`, since it says what the results are");
    using Out = detail::CollectedBy<F>;
    static_assert(std::is_same_v<Out, detail::CollectedBy<G>>,
                  "Millrace: both functions of flat_map on connected streams must collect the same "
                  "type");
    return add_pair<Out>("co_flat_map", std::move(first), std::move(second),
                         [](const F& f, const G& g) {
                           using A = detail::FlatMapOperator<First, Out, F>;
                           using B = detail::FlatMapOperator<Second, Out, G>;
                           return std::make_unique<detail::TwoInputOperator<A, B>>(A(f), B(g));
                         });
  }

  // An operator of one's own: a class derived from CoProcess, or from BroadcastProcess where the
  // second stream is broadcast, made of the arguments.
  template <class F, class... Arguments>
  auto process(Arguments&&... arguments) const {
    using Out = typename F::Output;
    const auto make = detail::maker_of<F>(std::forward<Arguments>(arguments)...);
    if constexpr (detail::TakesBroadcast<F>) {
      static_assert(std::is_base_of_v<BroadcastProcess<First, Second, Out>, F>,
                    "Millrace: process<F>() on connected streams takes a class derived from "
                    "BroadcastProcess<First, Second, Out>; a KeyedBroadcastProcess needs key_by() "
                    "before connect()");
      second_.require_broadcast();
      return add<Out>("broadcast_process", [make] {
        return std::make_unique<detail::BroadcastProcessOperator<F>>(make);
      });
    } else {
      static_assert(std::is_base_of_v<CoProcess<First, Second, Out>, F>,
                    "Millrace: process<F>() on connected streams takes a class derived from "
                    "CoProcess<First, Second, Out> or BroadcastProcess<First, Second, Out>");
      return add<Out>("co_process",
                      [make] { return std::make_unique<detail::CoProcessOperator<F>>(make); });
    }
  }

 private:
  template <class>
  friend class Stream;

  ConnectedStreams(Stream<First> first, Stream<Second> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  template <class Out, class F, class G, class Make>
  Stream<Out> add_pair(const char* kind, F first, G second, Make make) const {
    first_.builder_->check_closure(first, kind);
    first_.builder_->check_closure(second, kind);
    return add<Out>(kind, [make, first, second] { return make(first, second); });
  }

  template <class Out>
  Stream<Out> add(const char* kind, detail::OperatorFactory make) const {
    const detail::OperatorIndex index = first_.builder_->add_operator(
        {kind}, std::move(make), detail::output_of<Out>(), {first_.upstreams_, second_.upstreams_});
    return Stream<Out>(*first_.builder_, index, {{.op = index}});
  }

  Stream<First> first_;
  Stream<Second> second_;
};

// Two streams in one operator, both by the same key.
template <class First, class Second, class FirstSelector, class SecondSelector>
class KeyedConnectedStreams {
 public:
  // An operator of one's own: a class derived from KeyedCoProcess, made of the arguments.
  template <class F, class... Arguments>
  auto process(Arguments&&... arguments) const {
    using Out = typename F::Output;
    static_assert(
        std::is_base_of_v<KeyedCoProcess<typename FirstSelector::Key, First, Second, Out>, F>,
        "Millrace: process<F>() on connected keyed streams takes a class derived from "
        "KeyedCoProcess<Key, First, Second, Out>");
    const auto make = detail::maker_of<F>(std::forward<Arguments>(arguments)...);
    const detail::OperatorIndex index = first_.stream_.builder_->add_operator(
        {"co_process", &type_of<typename FirstSelector::Key>()},
        [make, first = first_.selector_, second = second_.selector_] {
          return std::make_unique<detail::KeyedCoProcessOperator<F, FirstSelector, SecondSelector>>(
              make, first, second);
        },
        detail::output_of<Out>(), {first_.stream_.upstreams_, second_.stream_.upstreams_});
    return Stream<Out>(*first_.stream_.builder_, index, {{.op = index}});
  }

 private:
  template <class, class>
  friend class KeyedStream;

  KeyedConnectedStreams(KeyedStream<First, FirstSelector> first,
                        KeyedStream<Second, SecondSelector> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  KeyedStream<First, FirstSelector> first_;
  KeyedStream<Second, SecondSelector> second_;
};

// A stream by key, and one that all of its subtasks see.
template <class T, class Broadcast, class Selector>
class KeyedBroadcastStreams {
 public:
  // An operator of one's own: a class derived from KeyedBroadcastProcess, made of the arguments.
  template <class F, class... Arguments>
  auto process(Arguments&&... arguments) const {
    using Out = typename F::Output;
    using Key = typename Selector::Key;
    static_assert(std::is_base_of_v<KeyedBroadcastProcess<Key, T, Broadcast, Out>, F>,
                  "Millrace: process<F>() on a keyed stream that is connected with a broadcast one "
                  "takes a class derived from KeyedBroadcastProcess<Key, In, Broadcast, Out> with "
                  "the Key that key_by() gives");
    broadcast_.require_broadcast();
    const auto make = detail::maker_of<F>(std::forward<Arguments>(arguments)...);
    detail::JobBuilder& builder = *keyed_.stream_.builder_;
    const detail::OperatorIndex index = builder.add_operator(
        {"broadcast_process", &type_of<Key>()},
        [make, selector = keyed_.selector_] {
          return std::make_unique<detail::KeyedBroadcastProcessOperator<F, Selector>>(make,
                                                                                      selector);
        },
        detail::output_of<Out>(), {keyed_.stream_.upstreams_, broadcast_.upstreams_});
    return Stream<Out>(builder, index, {{.op = index}});
  }

 private:
  template <class, class>
  friend class KeyedStream;

  KeyedBroadcastStreams(KeyedStream<T, Selector> keyed, Stream<Broadcast> broadcast)
      : keyed_(std::move(keyed)), broadcast_(std::move(broadcast)) {}

  KeyedStream<T, Selector> keyed_;
  Stream<Broadcast> broadcast_;
};

}  // namespace millrace
