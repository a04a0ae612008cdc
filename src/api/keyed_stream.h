// A stream whose records are grouped by key: all records of a key go to one subtask, in order.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "millrace/api/stream.h"
#include "millrace/operators/keyed_process.h"
#include "millrace/operators/rolling.h"

namespace millrace {

template <class T, class Selector>
class KeyedStream {
 public:
  using Key = typename Selector::Key;

  // For every record the aggregate of its key so far; in batch mode, once per key at the end. sum,
  // min and max change the member alone; min_by and max_by keep the whole record.
  template <class Owner, class M>
  Stream<T> sum(M Owner::*member) const {
    static_assert((std::is_arithmetic_v<M> && !std::is_same_v<M, bool>) || detail::is_time<M>,
                  "Millrace: sum takes a member that is a number or a duration");
    return rolling("sum", detail::SumOf<Owner, M>{member});
  }
  template <class Owner, class M>
  Stream<T> min(M Owner::*member) const {
    return rolling("min", detail::MinOf<Owner, M>{member});
  }
  template <class Owner, class M>
  Stream<T> max(M Owner::*member) const {
    return rolling("max", detail::MaxOf<Owner, M>{member});
  }
  template <class Owner, class M>
  Stream<T> min_by(M Owner::*member) const {
    return rolling("min_by", detail::MinByOf<Owner, M>{member});
  }
  template <class Owner, class M>
  Stream<T> max_by(M Owner::*member) const {
    return rolling("max_by", detail::MaxByOf<Owner, M>{member});
  }
  // By a function (aggregate so far, record) -> new aggregate.
  template <class F>
  Stream<T> reduce(F function) const {
    static_assert(std::is_invocable_r_v<T, const F&, const T&, const T&>,
                  "Millrace: reduce takes a function of two `const Record&` that gives a record of "
                  "the same type and is not mutable");
    stream_.builder_->check_closure(function, "reduce");
    return rolling("reduce", detail::ReduceBy<T, F>{std::move(function)});
  }

  // An operator of one's own: a class derived from KeyedProcess, made of the arguments.
  template <class F, class... Arguments>
  auto process(Arguments&&... arguments) const {
    static_assert(std::is_same_v<typename F::Input, T>,
                  "Millrace: the process function takes records of another type than the stream's");
    static_assert(std::is_base_of_v<KeyedProcess<Key, T, typename F::Output>, F>,
                  "Millrace: process<F>() on a keyed stream takes a class derived from "
                  "KeyedProcess<Key, In, Out> with the Key that key_by() gives");
    const auto make = detail::maker_of<F>(std::forward<Arguments>(arguments)...);
    return stream_.template add<typename F::Output>(
        {"process", &type_of<Key>()}, [make, selector = selector_] {
          return std::make_unique<detail::KeyedProcessOperator<F, Selector>>(make, selector);
        });
  }

  template <class U, class OtherSelector>
  KeyedConnectedStreams<T, U, Selector, OtherSelector> connect(
      const KeyedStream<U, OtherSelector>& other) const {
    static_assert(std::is_same_v<Key, typename KeyedStream<U, OtherSelector>::Key>,
                  "Millrace: keyed streams can be connected only by keys of the same type");
    return KeyedConnectedStreams<T, U, Selector, OtherSelector>(*this, other);
  }

  // Beside a stream that all subtasks see: connect(rules.broadcast()).
  template <class U>
  KeyedBroadcastStreams<T, U, Selector> connect(const Stream<U>& broadcast) const {
    return KeyedBroadcastStreams<T, U, Selector>(*this, broadcast);
  }

  // Stateless operators and sinks see the records where their key's subtask is.
  template <class F>
  auto map(F function) const {
    return stream_.map(std::move(function));
  }
  template <class F>
  auto filter(F predicate) const {
    return stream_.filter(std::move(predicate));
  }
  template <class F>
  auto flat_map(F function) const {
    return stream_.flat_map(std::move(function));
  }
  template <class S>
  SinkHandle to(const S& sink) const {
    return stream_.to(sink);
  }

 private:
  friend class Stream<T>;
  template <class, class, class, class>
  friend class KeyedConnectedStreams;
  template <class, class, class>
  friend class KeyedBroadcastStreams;

  KeyedStream(const Stream<T>& stream, Selector selector)
      : stream_(stream.exchanged(detail::Exchange::kKeyed, partitioner(selector))),
        selector_(std::move(selector)) {
    static_assert(is_key<Key>,
                  "Millrace: a key must be an integer, a bool, an enum, a string, a Timestamp or "
                  "duration, or a tuple or plain struct of these; floating-point numbers and "
                  "unordered containers have no stable hash");
    for (detail::Upstream& upstream : stream_.upstreams_) {
      upstream.key = &type_of<Key>();
    }
  }

  static detail::PartitionerFactory partitioner(const Selector& selector) {
    return [selector](const detail::PartitionerPlace& place) {
      using Chooser = detail::KeyChooser<T, Selector>;
      return std::make_unique<detail::ScatterBy<T, Chooser>>(
          Chooser(selector, place.max_parallelism, place.channels));
    };
  }

  template <class Combine>
  Stream<T> rolling(const char* kind, Combine combine) const {
    static_assert(std::is_invocable_v<const Combine&, T&, const T&>,
                  "Millrace: an aggregate takes a member of the stream's own record type");
    static_assert(
        std::is_copy_assignable_v<T>,
        "Millrace: a rolling aggregate emits a copy of what it keeps, so its records must "
        "be copyable");
    return stream_.template add<T>({kind, &type_of<Key>()}, [combine, selector = selector_] {
      return std::make_unique<detail::RollingOperator<T, Selector, Combine>>(selector, combine);
    });
  }

  Stream<T> stream_;
  Selector selector_;
};

}  // namespace millrace
