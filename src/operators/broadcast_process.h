// Process functions with a broadcast stream beside their own: every instance sees all records of
// it, and keeps what they come to in BroadcastState, which only they can change.
//
//   class Check : public BroadcastProcess<Payment, Limit, Alert> {
//    public:
//     void process(const Payment& payment, ReadContext&, Collector<Alert>& out) override {
//       if (payment.cents > limits_.value_or(payment.account, kMostCents)) out.emit({payment});
//     }
//     void process_broadcast(const Limit& limit, WriteContext& context,
//                            Collector<Alert>&) override {
//       limits_.put(context, limit.account, limit.cents);
//     }
//    private:
//     BroadcastState<std::string, std::int64_t> limits_{*this, "limits"};
//   };
//
//   payments.connect(limits.broadcast()).process<Check>()
//
// A KeyedBroadcastProcess has state and timers by key as well, in process() and on_timer(); in
// process_broadcast() no key is at hand.
#pragma once

#include <utility>

#include "millrace/operators/keyed_process.h"
#include "millrace/state/broadcast_state.h"

namespace millrace {

// With it BroadcastState can be changed.
class BroadcastContext : public ProcessContext, public detail::BroadcastWriter {};

template <class In, class Broadcast, class Out>
class BroadcastProcess : public ProcessFunction {
 public:
  using Input = In;
  using BroadcastInput = Broadcast;
  using Output = Out;
  using ReadContext = ProcessContext;
  using WriteContext = BroadcastContext;
  using Context = ReadContext;

  virtual void process(const In& value, ReadContext& context, Collector<Out>& out) = 0;
  virtual void process_broadcast(const Broadcast& value, WriteContext& context,
                                 Collector<Out>& out) = 0;
};

template <class K, class In, class Broadcast, class Out>
class KeyedBroadcastProcess : public ProcessFunction, public detail::StateOwner<K> {
 public:
  using Key = K;
  using Input = In;
  using BroadcastInput = Broadcast;
  using Output = Out;
  using ReadContext = KeyedContext<K>;
  using WriteContext = BroadcastContext;
  using Context = ReadContext;
  using Function = KeyedBroadcastProcess;

  virtual void process(const In& value, ReadContext& context, Collector<Out>& out) = 0;
  virtual void process_broadcast(const Broadcast& value, WriteContext& context,
                                 Collector<Out>& out) = 0;
  virtual void on_timer(Timestamp, ReadContext&, Collector<Out>&) {}
};

}  // namespace millrace

namespace millrace::detail {

template <class F>
concept TakesBroadcast = requires {
  typename F::BroadcastInput;
};

// The broadcast input of an operator, which is its second.
template <class F>
Result<Progress> process_broadcast_rows(F& function, Cursor& in, Outputs& outputs,
                                        BroadcastContext& context) {
  return process_rows<typename F::BroadcastInput, typename F::Output>(
      in, in.batch->size(), outputs, context, [](std::size_t) {},
      [&](const auto& value, auto& writer, auto& out) {
        function.F::process_broadcast(value, writer, out);
      });
}

template <class F>
class BroadcastProcessOperator final : public FunctionOperator<F> {
 public:
  using FunctionOperator<F>::FunctionOperator;

  Result<Progress> process(std::uint32_t input, Cursor& in, Outputs& outputs) override {
    if (input == 1) return process_broadcast_rows(this->function_, in, outputs, writer_);
    return process_rows<typename F::Input, typename F::Output>(
        in, in.batch->size(), outputs, this->context_, [](std::size_t) {},
        [this](const auto& value, auto& context, auto& out) {
          this->function_.F::process(value, context, out);
        });
  }
  Result<Progress> on_watermark(Timestamp watermark, Outputs& outputs) override {
    writer_.set_watermark(watermark);
    return FunctionOperator<F>::on_watermark(watermark, outputs);
  }

 private:
  BroadcastContext writer_;
};

template <class F, class Selector>
class KeyedBroadcastProcessOperator final : public KeyedFunctionOperator<F> {
 public:
  template <class Make>
  KeyedBroadcastProcessOperator(const Make& make, Selector key_of)
      : KeyedFunctionOperator<F>(make), key_of_(std::move(key_of)) {}

  Result<Progress> process(std::uint32_t input, Cursor& in, Outputs& outputs) override {
    if (input == 1) return process_broadcast_rows(this->function_, in, outputs, writer_);
    return this->template process_keyed<typename F::Input>(
        in, outputs, key_of_, keys_, [this](const auto& value, auto& context, auto& out) {
          this->function_.F::process(value, context, out);
        });
  }
  Result<Progress> on_watermark(Timestamp watermark, Outputs& outputs) override {
    writer_.set_watermark(watermark);
    return KeyedFunctionOperator<F>::on_watermark(watermark, outputs);
  }

 private:
  const Selector key_of_;
  KeysOfGroup<Selector> keys_;
  BroadcastContext writer_;
};

}  // namespace millrace::detail
