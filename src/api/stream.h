// Streams: what a job function builds its dataflow with. A stream is a value; each method adds an
// operator to the plan and returns the stream of its results. Nothing runs before the job is run.
//
// The function given to an operator is copied for each subtask. It may not be mutable and may not
// capture variables of the job function by reference: what must be remembered belongs into state.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "millrace/api/job_builder.h"
#include "millrace/operators/endpoints.h"
#include "millrace/operators/function_traits.h"
#include "millrace/operators/key_selector.h"
#include "millrace/operators/process.h"
#include "millrace/operators/stateless.h"

namespace millrace {

struct BroadcastOptions {
  bool read_first = false;  // a bounded stream is read to its end before the other input
};

template <class T>
class Stream;
template <class T, class Selector>
class KeyedStream;
template <class First, class Second>
class ConnectedStreams;
template <class First, class Second, class FirstSelector, class SecondSelector>
class KeyedConnectedStreams;
template <class T, class Broadcast, class Selector>
class KeyedBroadcastStreams;

}  // namespace millrace

namespace millrace::detail {

// What can be said about the operator that a stream comes from, and how it is said.
template <class Derived>
class OperatorSettings {
 public:
  // The name by which the plan, messages, metrics and savepoints know the operator.
  Derived named(std::string name) {
    if (check_operator("named")) builder_->plan().rename(index_, std::move(name));
    return self();
  }
  Derived parallelism(std::uint32_t subtasks) {
    if (check_operator("parallelism")) builder_->plan().at(index_).parallelism = subtasks;
    return self();
  }
  Derived max_parallelism(std::uint32_t key_groups) {
    if (check_operator("max_parallelism")) builder_->plan().at(index_).max_parallelism = key_groups;
    return self();
  }
  // Begins a new chain with this operator; others may follow it in the chain.
  Derived start_new_chain() {
    if (check_operator("start_new_chain")) builder_->plan().at(index_).chaining = Chaining::kHead;
    return self();
  }
  Derived disable_chaining() {
    if (check_operator("disable_chaining")) builder_->plan().at(index_).chaining = Chaining::kNever;
    return self();
  }
  Derived slot_sharing_group(std::string group) {
    if (check_operator("slot_sharing_group"))
      builder_->plan().at(index_).slot_sharing_group = std::move(group);
    return self();
  }
  // The operator's code may wait: it gets a thread of its own.
  Derived blocking() {
    if (check_operator("blocking")) builder_->plan().at(index_).blocking = true;
    return self();
  }

 protected:
  OperatorSettings(JobBuilder& builder, OperatorIndex index) : builder_(&builder), index_(index) {}

  // For settings and side outputs: a union of streams and a choice of their exchange have none.
  bool check_operator(std::string_view setting) const {
    if (!is_operator_) builder_->fail_no_operator(setting);
    return is_operator_;
  }

  JobBuilder* builder_;
  OperatorIndex index_;
  bool is_operator_ = true;

 private:
  Derived self() const { return static_cast<const Derived&>(*this); }
};

}  // namespace millrace::detail

namespace millrace {

// The end of a stream.
class SinkHandle : public detail::OperatorSettings<SinkHandle> {
 public:
  SinkHandle(detail::JobBuilder& builder, detail::OperatorIndex index)
      : OperatorSettings(builder, index) {}
};

template <class T>
class Stream : public detail::OperatorSettings<Stream<T>> {
 public:
  using value_type = T;

  // One result for each record.
  template <class F>
  auto map(F function) const {
    static_assert(std::is_invocable_v<const F&, const T&>,
                  "Millrace: map takes a function of `const Record&` that is not mutable; what it "
                  "must remember belongs into the state of a process function");
    using Out = std::remove_cvref_t<std::invoke_result_t<const F&, const T&>>;
    static_assert(!std::is_void_v<Out>,
                  "Millrace: map's function returns nothing; return a record, or use flat_map");
    return transform<Out>("map", function, [function] {
      return std::make_unique<detail::MapOperator<T, Out, F>>(function);
    });
  }

  // The records for which the predicate holds.
  template <class F>
  Stream filter(F predicate) const {
    static_assert(std::is_invocable_r_v<bool, const F&, const T&>,
                  "Millrace: filter takes a predicate of `const Record&` that is not mutable");
    return transform<T>("filter", predicate, [predicate] {
      return std::make_unique<detail::FilterOperator<T, F>>(predicate);
    });
  }

  // Any number of results for each record: flat_map([](const In& in, Collector<Out>& out) {...}).
  template <class F>
  auto flat_map(F function) const {
    static_assert(detail::TakesCollector<F>,
                  "Millrace: the last parameter of flat_map's function must be spelled "
                  "`Collector<Result>&`, since it says what the results are");
    using Out = detail::CollectedBy<F>;
    static_assert(std::is_invocable_v<const F&, const T&, Collector<Out>&>,
                  "Millrace: flat_map takes a function of `const Record&` and `Collector<Result>&` "
                  "that is not mutable");
    return transform<Out>("flat_map", function, [function] {
      return std::make_unique<detail::FlatMapOperator<T, Out, F>>(function);
    });
  }

  // An operator of one's own: a class derived from Process, made of the arguments.
  template <class F, class... Arguments>
  auto process(Arguments&&... arguments) const {
    static_assert(std::is_same_v<typename F::Input, T>,
                  "Millrace: the process function takes records of another type than the stream's");
    static_assert(std::is_base_of_v<Process<T, typename F::Output>, F>,
                  "Millrace: process<F>() on a stream without key takes a class derived from "
                  "Process<In, Out>; a KeyedProcess needs key_by() before it");
    const auto make = detail::maker_of<F>(std::forward<Arguments>(arguments)...);
    return add<typename F::Output>(
        {"process"}, [make] { return std::make_unique<detail::ProcessOperator<F>>(make); });
  }

  // Says when the records happened, by a member or a function of the record, and makes watermarks:
  //   stream.event_time(&Payment::at, out_of_order_by(5s))
  // Directly behind from() it becomes part of the source, and sees each split apart.
  template <class F>
  Stream event_time(F time_of, WatermarkStrategy strategy) const {
    static_assert(std::is_invocable_r_v<Timestamp, const F&, const T&>,
                  "Millrace: event_time takes a Timestamp member of the stream's records, or a "
                  "function of `const Record&` that gives a Timestamp and is not mutable");
    this->builder_->check_closure(time_of, "event_time");
    const detail::OperatorIndex index = this->builder_->add_event_time(
        {.stamp = detail::stamp_of<T>(std::move(time_of)), .strategy = strategy},
        detail::output_of<T>(), upstreams_);
    return Stream(*this->builder_, index, {{.op = index}});
  }

  // Groups the records by a key: a member, several members, or a function of the record.
  template <class Owner, class M>
  auto key_by(M Owner::*member) const {
    require_member<Owner>();
    return keyed(detail::MemberKey<T, M>{member});
  }
  template <class Owner, class M, class N, class... More>
  auto key_by(M Owner::*first, N Owner::*second, More Owner::*... more) const {
    require_member<Owner>();
    return keyed(detail::MembersKey<T, M, N, More...>{{first, second, more...}});
  }
  template <class F>
  requires(std::is_invocable_v<const F&, const T&> &&
           !std::is_member_pointer_v<F>) auto key_by(F function) const {
    using Key = std::remove_cvref_t<std::invoke_result_t<const F&, const T&>>;
    static_assert(!std::is_convertible_v<Key, std::string_view> || std::is_same_v<Key, std::string>,
                  "Millrace: key_by's function must return a std::string, which lives as long as "
                  "its key; not a pointer or view");
    this->builder_->check_closure(function, "key_by");
    return keyed(detail::FunctionKey<T, F>{std::move(function)});
  }

  // All records of these streams, in the order of their arrival.
  template <class... Others>
  Stream union_with(const Others&... others) const {
    static_assert((std::is_same_v<Others, Stream> && ...),
                  "Millrace: only streams of the same type can be united; map them to one first");
    Stream all = *this;
    all.is_operator_ = false;
    (all.upstreams_.insert(all.upstreams_.end(), others.upstreams_.begin(),
                           others.upstreams_.end()),
     ...);
    return all;
  }

  // Two streams of different types, for an operator with two inputs.
  template <class U>
  ConnectedStreams<T, U> connect(const Stream<U>& other) const {
    return ConnectedStreams<T, U>(*this, other);
  }

  // What the operator emits to that tag.
  template <class X>
  Stream<X> side_output(const OutputTag<X>& tag) const {
    this->check_operator("side_output");
    const std::uint32_t output =
        this->builder_->side_output(this->index_, tag.name, detail::output_of<X>());
    return Stream<X>(*this->builder_, this->index_, {{.op = this->index_, .output = output}});
  }

  // How records go to the next operator's subtasks.
  Stream forward() const { return exchanged(detail::Exchange::kForward); }
  Stream rebalance() const { return exchanged(detail::Exchange::kRebalance); }
  Stream rescale() const { return exchanged(detail::Exchange::kRescale); }
  Stream global() const { return exchanged(detail::Exchange::kGlobal); }
  Stream broadcast(BroadcastOptions options = {}) const {
    Stream stream = exchanged(detail::Exchange::kBroadcast);
    for (detail::Upstream& upstream : stream.upstreams_) upstream.read_first = options.read_first;
    return stream;
  }
  Stream shuffle() const {
    return exchanged(detail::Exchange::kRandom, [](const detail::PartitionerPlace& place) {
      using Chooser = detail::RandomChooser<T>;
      return std::make_unique<detail::ScatterBy<T, Chooser>>(
          Chooser(place.seed + place.sender, place.channels));
    });
  }
  // By a function (record, number of subtasks) -> subtask, which is taken modulo that number.
  template <class F>
  Stream partition_by(F function) const {
    static_assert(std::is_invocable_r_v<std::uint32_t, const F&, const T&, std::uint32_t>,
                  "Millrace: partition_by takes a function of `const Record&` and the number of "
                  "subtasks that gives a subtask and is not mutable");
    this->builder_->check_closure(function, "partition_by");
    return exchanged(detail::Exchange::kCustom, [function](const detail::PartitionerPlace& place) {
      using Chooser = detail::CustomChooser<T, F>;
      return std::make_unique<detail::ScatterBy<T, Chooser>>(Chooser(function, place.channels));
    });
  }

  // Ends the stream in a sink.
  template <class S>
  SinkHandle to(const S& sink) const {
    static_assert(
        requires { sink.template bind<T>(); },
        "Millrace: to() takes a sink, such as print(), files(...) or sink<YourSink>(...)");
    const detail::OperatorIndex index =
        this->builder_->add_sink(sink.template bind<T>(), upstreams_);
    return SinkHandle(*this->builder_, index);
  }

 private:
  friend class Job;
  template <class>
  friend class Stream;
  template <class, class>
  friend class KeyedStream;
  template <class, class>
  friend class ConnectedStreams;
  template <class, class, class, class>
  friend class KeyedConnectedStreams;
  template <class, class, class>
  friend class KeyedBroadcastStreams;

  Stream(detail::JobBuilder& builder, detail::OperatorIndex index,
         std::vector<detail::Upstream> upstreams)
      : detail::OperatorSettings<Stream<T>>(builder, index), upstreams_(std::move(upstreams)) {}

  template <class Owner>
  static constexpr void require_member() {
    static_assert(std::is_same_v<Owner, T>,
                  "Millrace: key_by takes members of the stream's own record type");
  }

  template <class Out, class F>
  Stream<Out> transform(const char* kind, const F& function, detail::OperatorFactory make) const {
    this->builder_->check_closure(function, kind);
    return add<Out>({kind}, std::move(make));
  }

  template <class Out>
  Stream<Out> add(detail::OperatorKind kind, detail::OperatorFactory make) const {
    const detail::OperatorIndex index =
        this->builder_->add_operator(kind, std::move(make), detail::output_of<Out>(), upstreams_);
    return Stream<Out>(*this->builder_, index, {{.op = index}});
  }

  // For a function that keeps what all its instances see.
  void require_broadcast() const {
    for (const detail::Upstream& upstream : upstreams_) {
      if (upstream.exchange == detail::Exchange::kBroadcast) continue;
      this->builder_->fail(invalid_argument(
          "the second stream of a broadcast process function is not broadcast, so its instances "
          "would not have the same state; connect it as connect(rules.broadcast())"));
    }
  }

  Stream exchanged(detail::Exchange exchange, detail::PartitionerFactory partitioner = {}) const {
    Stream stream = *this;
    stream.is_operator_ = false;
    for (detail::Upstream& upstream : stream.upstreams_) {
      upstream.exchange = exchange;
      upstream.chosen = true;
      upstream.partitioner = partitioner;
    }
    return stream;
  }

  template <class Selector>
  KeyedStream<T, Selector> keyed(Selector selector) const {
    return KeyedStream<T, Selector>(*this, std::move(selector));
  }

  std::vector<detail::Upstream> upstreams_;
};

}  // namespace millrace
