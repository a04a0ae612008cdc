// Process functions: the full form of an operator for users. A class derived from Process sees one
// record at a time with its context, and may emit any number of results, to side outputs too. That
// of a keyed stream is derived from KeyedProcess (keyed_process.h), and may have state and timers.
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
#include "millrace/state/operator_list_state.h"

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

// What all process functions share. Operator state may be declared as members.
class ProcessFunction : public detail::OperatorStates {
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

}  // namespace millrace

namespace millrace::detail {

// Runs `call(value, context, collector)` for the records of a batch up to `end`, or until the
// outputs are full. `prepare(row)` comes before each call.
template <class In, class Out, class Context, class Prepare, class Call>
Result<Progress> process_rows(Cursor& in, std::size_t end, Outputs& outputs, Context& context,
                              const Prepare& prepare, const Call& call) {
  Batch<In>& batch = in.as<In>();
  Batch<Out>& out = outputs.get<Out>(0);
  Collector<Out> collector(out);
  context.bind(outputs);
  for (; in.next < end; ++in.next) {
    if (outputs.full(out) || (outputs.count() > 1 && outputs.full())) break;
    context.set_timestamp(batch.stamped(), batch.timestamp(in.next));
    if (batch.stamped()) collector.set_timestamp(batch.timestamp(in.next));
    prepare(in.next);
    call(std::as_const(batch).values()[in.next], context, collector);
  }
  if (!context.emission_status()) return context.emission_status().error();
  return in.next == end ? Progress::kDone : Progress::kMore;
}

// Opening and closing, the same for all process functions. Calls into the function are qualified,
// never virtual: the compiler sees which function it is.
template <class F>
class FunctionOperator : public Operator {
 public:
  template <class Make>
  explicit FunctionOperator(const Make& make) : function_(make()) {}

  Status open(const OperatorContext& context) override {
    Status well_named = states().check_names();
    if (!well_named) return well_named;
    TaskContext place(context);
    return function_.F::open(place);
  }
  Status close() override { return function_.F::close(); }

  Status snapshot(Snapshot& snapshot) override { return states().snapshot_states(snapshot); }
  Status restore(const Snapshot& snapshot) override { return states().restore_states(snapshot); }

  Result<Progress> on_watermark(Timestamp watermark, Outputs&) override {
    context_.set_watermark(watermark);
    return Progress::kDone;
  }

 protected:
  OperatorStates& states() { return function_; }

  F function_;
  typename F::Context context_;
};

template <class F>
class ProcessOperator final : public FunctionOperator<F> {
 public:
  using FunctionOperator<F>::FunctionOperator;

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& outputs) override {
    return process_rows<typename F::Input, typename F::Output>(
        in, in.batch->size(), outputs, this->context_, [](std::size_t) {},
        [this](const auto& value, auto& context, auto& out) {
          this->function_.F::process(value, context, out);
        });
  }
};

template <class F>
class CoProcessOperator final : public FunctionOperator<F> {
 public:
  using FunctionOperator<F>::FunctionOperator;

  Result<Progress> process(std::uint32_t input, Cursor& in, Outputs& outputs) override {
    const auto run = [&]<class In>(std::type_identity<In>, const auto& call) {
      return process_rows<In, typename F::Output>(
          in, in.batch->size(), outputs, this->context_, [](std::size_t) {}, call);
    };
    if (input == 0) {
      return run(std::type_identity<typename F::FirstInput>(),
                 [this](const auto& value, auto& context, auto& out) {
                   this->function_.F::process_first(value, context, out);
                 });
    }
    return run(std::type_identity<typename F::SecondInput>(),
               [this](const auto& value, auto& context, auto& out) {
                 this->function_.F::process_second(value, context, out);
               });
  }
};

}  // namespace millrace::detail
