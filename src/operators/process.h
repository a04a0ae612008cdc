// Process functions: the full form of an operator for users. A class derived from Process (or
// KeyedProcess, for a keyed stream) sees one record at a time with its context, and may emit any
// number of results, to side outputs too.
//
// One instance per subtask and attempt; all calls come one at a time. What must survive a failure
// belongs into state, never into plain members.
#pragma once

#include <string_view>
#include <utility>

#include "millrace/operators/collector.h"
#include "millrace/operators/operator.h"
#include "millrace/operators/side_outputs.h"
#include "millrace/operators/task_context.h"

namespace millrace {

class ProcessContext : public SideOutputs {
 public:
  // Of the record being processed; kMinTimestamp if the stream has no event time.
  Timestamp timestamp() const { return timestamp_; }

  // The operator's event time: a record of this time or an earlier one is late. kMinTimestamp until
  // the first watermark has come, also after a restore.
  Timestamp watermark() const { return watermark_; }

  // For the engine.
  void set_watermark(Timestamp watermark) { watermark_ = watermark; }

 private:
  Timestamp watermark_ = kMinTimestamp;
};

template <class K>
class KeyedContext : public ProcessContext {
 public:
  const K& key() const { return *key_; }

  // For the engine.
  void set_key(const K& key) { key_ = &key; }

 private:
  const K* key_ = nullptr;
};

// What all process functions share.
class ProcessFunction {
 public:
  virtual ~ProcessFunction() = default;
  virtual Status open(TaskContext&) { return {}; }
  virtual Status close() { return {}; }
};

template <class In, class Out>
class Process : public ProcessFunction {
 public:
  using Input = In;
  using Output = Out;
  using Context = ProcessContext;

  virtual void process(const In& value, Context& context, Collector<Out>& out) = 0;
};

template <class K, class In, class Out>
class KeyedProcess : public ProcessFunction {
 public:
  using Key = K;
  using Input = In;
  using Output = Out;
  using Context = KeyedContext<K>;

  virtual void process(const In& value, Context& context, Collector<Out>& out) = 0;
};

// Two streams of different types in one operator.
template <class First, class Second, class Out>
class CoProcess : public ProcessFunction {
 public:
  using FirstInput = First;
  using SecondInput = Second;
  using Output = Out;
  using Context = ProcessContext;

  virtual void process_first(const First& value, Context& context, Collector<Out>& out) = 0;
  virtual void process_second(const Second& value, Context& context, Collector<Out>& out) = 0;
};

template <class K, class First, class Second, class Out>
class KeyedCoProcess : public ProcessFunction {
 public:
  using Key = K;
  using FirstInput = First;
  using SecondInput = Second;
  using Output = Out;
  using Context = KeyedContext<K>;

  virtual void process_first(const First& value, Context& context, Collector<Out>& out) = 0;
  virtual void process_second(const Second& value, Context& context, Collector<Out>& out) = 0;
};

}  // namespace millrace

namespace millrace::detail {

// The selector of an operator whose input has no key.
struct NoKey {};

// Runs `call(value, context, collector)` for each record of a batch until the outputs are full.
template <class In, class Out, class Context, class Selector, class Call>
Result<Progress> process_batch(Cursor& in, Outputs& outputs, Context& context,
                               const Selector& selector, Call&& call) {
  Batch<In>& batch = in.as<In>();
  Batch<Out>& out = outputs.get<Out>(0);
  Collector<Out> collector(out);
  context.bind(outputs);
  for (; !in.done(); ++in.next) {
    if (outputs.full(out) || (outputs.count() > 1 && outputs.full())) break;
    const In& value = batch.values()[in.next];
    context.set_timestamp(batch.stamped(), batch.timestamp(in.next));
    if (batch.stamped()) collector.set_timestamp(batch.timestamp(in.next));
    if constexpr (std::is_same_v<Selector, NoKey>) {
      call(value, context, collector);
    } else {
      const typename Selector::Key& key = selector.key(value);
      context.set_key(key);
      call(value, context, collector);
    }
  }
  if (!context.emission_status()) return context.emission_status().error();
  return in.done() ? Progress::kDone : Progress::kMore;
}

// Opening and closing, the same for all process functions. Calls into the function are qualified,
// never virtual: the compiler sees which function it is.
template <class F>
class FunctionOperator : public Operator {
 public:
  template <class Make>
  explicit FunctionOperator(const Make& make) : function_(make()) {}

  Status open(const OperatorContext& context) override {
    TaskContext place(context);
    return function_.F::open(place);
  }
  Status close() override { return function_.F::close(); }

  Result<Progress> on_watermark(Timestamp watermark, Outputs&) override {
    context_.set_watermark(watermark);
    return Progress::kDone;
  }

 protected:
  F function_;
  typename F::Context context_;
};

template <class F, class Selector>
class ProcessOperator final : public FunctionOperator<F> {
 public:
  template <class Make>
  ProcessOperator(const Make& make, Selector key_of)
      : FunctionOperator<F>(make), key_of_(std::move(key_of)) {}

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& outputs) override {
    return process_batch<typename F::Input, typename F::Output>(
        in, outputs, this->context_, key_of_, [this](const auto& value, auto& context, auto& out) {
          this->function_.F::process(value, context, out);
        });
  }

 private:
  const Selector key_of_;
};

template <class F, class FirstSelector, class SecondSelector>
class CoProcessOperator final : public FunctionOperator<F> {
 public:
  template <class Make>
  CoProcessOperator(const Make& make, FirstSelector first_key, SecondSelector second_key)
      : FunctionOperator<F>(make),
        first_key_(std::move(first_key)),
        second_key_(std::move(second_key)) {}

  Result<Progress> process(std::uint32_t input, Cursor& in, Outputs& outputs) override {
    if (input == 0) {
      return process_batch<typename F::FirstInput, typename F::Output>(
          in, outputs, this->context_, first_key_,
          [this](const auto& value, auto& context, auto& out) {
            this->function_.F::process_first(value, context, out);
          });
    }
    return process_batch<typename F::SecondInput, typename F::Output>(
        in, outputs, this->context_, second_key_,
        [this](const auto& value, auto& context, auto& out) {
          this->function_.F::process_second(value, context, out);
        });
  }

 private:
  const FirstSelector first_key_;
  const SecondSelector second_key_;
};

}  // namespace millrace::detail
