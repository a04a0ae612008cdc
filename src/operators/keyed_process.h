// Process functions of a keyed stream: as those of process.h, with state and timers by key. State
// is declared as members; it, and the timers, are always those of the key at hand.
//
//   class Counter : public KeyedProcess<std::string, Payment, Count> {
//    public:
//     void process(const Payment& payment, Context& context, Collector<Count>& out) override {
//       out.emit({context.key(), count_.edit() += 1});
//     }
//    private:
//     ValueState<std::int64_t> count_{*this, "count"};
//   };
#pragma once

#include <array>
#include <optional>
#include <stdexcept>
#include <vector>

#include "millrace/core/failpoint.h"
#include "millrace/operators/key_selector.h"
#include "millrace/operators/process.h"
#include "millrace/state/aggregating_state.h"
#include "millrace/state/list_state.h"
#include "millrace/state/map_state.h"
#include "millrace/state/timers.h"
#include "millrace/state/value_state.h"

namespace millrace {

template <class K>
class KeyedContext : public ProcessContext {
 public:
  const K& key() const { return *key_; }

  // Event-time timers of the key, which call on_timer().
  Timers& timers() {
    if (timers_ == nullptr) {
      throw std::logic_error("timers() was called in a function without on_timer(): declare it");
    }
    return *timers_;
  }

  // For the engine.
  void set_key(const K& key) { key_ = &key; }
  void set_timers(Timers& timers) { timers_ = &timers; }

 private:
  const K* key_ = nullptr;
  Timers* timers_ = nullptr;
};

template <class K, class In, class Out>
class KeyedProcess : public ProcessFunction, public detail::StateOwner<K> {
 public:
  using Key = K;
  using Input = In;
  using Output = Out;
  using Context = KeyedContext<K>;
  using Function = KeyedProcess;

  virtual void process(const In& value, Context& context, Collector<Out>& out) = 0;

  // The watermark has passed a timer of the key.
  virtual void on_timer(Timestamp, Context&, Collector<Out>&) {}
};

template <class K, class First, class Second, class Out>
class KeyedCoProcess : public ProcessFunction, public detail::StateOwner<K> {
 public:
  using Key = K;
  using FirstInput = First;
  using SecondInput = Second;
  using Output = Out;
  using Context = KeyedContext<K>;
  using Function = KeyedCoProcess;

  virtual void process_first(const First& value, Context& context, Collector<Out>& out) = 0;
  virtual void process_second(const Second& value, Context& context, Collector<Out>& out) = 0;
  virtual void on_timer(Timestamp, Context&, Collector<Out>&) {}
};

}  // namespace millrace

namespace millrace::detail {

// Whether a function has an on_timer() of its own.
template <class F>
inline constexpr bool kHasTimers =
    !std::is_same_v<decltype(&F::on_timer), decltype(&F::Function::on_timer)>;

// The keys of a group of records: where they lie in the records they stay there.
template <class Selector>
class KeysOfGroup {
  using Key = typename Selector::Key;

 public:
  template <class T>
  CurrentKeys take(const Selector& selector, std::span<const T> records) {
    using Given = decltype(selector.key(records.front()));
    if constexpr (!std::is_reference_v<Given>) copies_.clear();
    for (std::size_t i = 0; i < records.size(); ++i) {
      hashes_[i] = selector.hash(records[i]);
      if constexpr (std::is_reference_v<Given>) {
        keys_[i] = &selector.key(records[i]);
      } else {
        copies_.push_back(selector.key(records[i]));
      }
    }
    for (std::size_t i = 0; i < copies_.size(); ++i) keys_[i] = &copies_[i];
    return {.hashes = {hashes_.data(), records.size()}, .keys = keys_.data()};
  }
  const Key& operator[](std::size_t i) const { return *static_cast<const Key*>(keys_[i]); }

 private:
  std::array<std::uint64_t, kMostKeys> hashes_;
  std::array<const void*, kMostKeys> keys_;
  std::vector<Key> copies_;
};

// What keyed functions share: their state, and the timers that fire when the watermark comes.
template <class F>
class KeyedFunctionOperator : public FunctionOperator<F> {
 public:
  using Key = typename F::Key;

  template <class Make>
  explicit KeyedFunctionOperator(const Make& make) : FunctionOperator<F>(make) {
    if constexpr (kHasTimers<F>) {
      timers_.emplace(this->function_);
      this->context_.set_timers(*timers_);
    }
  }

  Status open(const OperatorContext& context) override {
    Status opened = owner().keyed_state().open({.name = context.name,
                                                .key_groups = context.key_groups,
                                                .max_parallelism = context.max_parallelism,
                                                .clock = context.clock,
                                                .environment = context.state});
    if (opened && timers_) opened = timers_->open();
    return opened ? FunctionOperator<F>::open(context) : opened;
  }

  KeyedBackend* keyed_backend() override {
    KeyedState& state = owner().keyed_state();
    return state.empty() ? nullptr : &state;
  }

  Result<Progress> on_watermark(Timestamp watermark, Outputs& outputs) override {
    this->context_.set_watermark(watermark);
    if constexpr (kHasTimers<F>) {
      while (timers_->is_due(watermark)) {
        if (outputs.full()) return Progress::kMore;
        fire(outputs);
      }
      if (!this->context_.emission_status()) return this->context_.emission_status().error();
    }
    return Progress::kDone;
  }

 protected:
  StateOwner<Key>& owner() { return this->function_; }

  // Runs call() for the records of a batch, in groups whose keys are looked up together.
  template <class In, class Selector, class Call>
  Result<Progress> process_keyed(Cursor& in, Outputs& outputs, const Selector& selector,
                                 KeysOfGroup<Selector>& keys, const Call& call) {
    const std::span<const In> values = std::as_const(in.as<In>()).values();
    while (!in.done()) {
      const std::size_t begin = in.next;
      const std::size_t end = std::min(begin + kMostKeys, values.size());
      owner().begin_group(keys.take(selector, values.subspan(begin, end - begin)));
      Result<Progress> progress = process_rows<In, typename F::Output>(
          in, end, outputs, this->context_,
          [&](std::size_t row) {
            owner().current_keys().index = static_cast<std::uint32_t>(row - begin);
            this->context_.set_key(keys[row - begin]);
          },
          call);
      owner().end_group();
      if (!progress || *progress == Progress::kMore) return progress;
    }
    return Progress::kDone;
  }

 private:
  void fire(Outputs& outputs) {
    const auto fired = timers_->take_next();
    if (fired.key == nullptr) return;
    pass(FailPoint::kTimerFired);
    const Key key = *fired.key;  // its row may end
    const void* const place = &key;
    owner().begin_group({.hashes = {&fired.hash, 1}, .keys = &place});
    timers_->end(fired.time);
    this->context_.set_key(key);
    this->context_.bind(outputs);
    this->context_.set_timestamp(true, fired.time);
    Collector<typename F::Output> collector(outputs.template get<typename F::Output>(0));
    collector.set_timestamp(fired.time);
    this->function_.F::on_timer(fired.time, this->context_, collector);
    owner().end_group();
  }

  std::optional<KeyTimers<Key>> timers_;
};

template <class F, class Selector>
class KeyedProcessOperator final : public KeyedFunctionOperator<F> {
 public:
  template <class Make>
  KeyedProcessOperator(const Make& make, Selector key_of)
      : KeyedFunctionOperator<F>(make), key_of_(std::move(key_of)) {}

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& outputs) override {
    return this->template process_keyed<typename F::Input>(
        in, outputs, key_of_, keys_, [this](const auto& value, auto& context, auto& out) {
          this->function_.F::process(value, context, out);
        });
  }

 private:
  const Selector key_of_;
  KeysOfGroup<Selector> keys_;
};

template <class F, class FirstSelector, class SecondSelector>
class KeyedCoProcessOperator final : public KeyedFunctionOperator<F> {
 public:
  template <class Make>
  KeyedCoProcessOperator(const Make& make, FirstSelector first_key, SecondSelector second_key)
      : KeyedFunctionOperator<F>(make),
        first_key_(std::move(first_key)),
        second_key_(std::move(second_key)) {}

  Result<Progress> process(std::uint32_t input, Cursor& in, Outputs& outputs) override {
    if (input == 0) {
      return this->template process_keyed<typename F::FirstInput>(
          in, outputs, first_key_, first_keys_,
          [this](const auto& value, auto& context, auto& out) {
            this->function_.F::process_first(value, context, out);
          });
    }
    return this->template process_keyed<typename F::SecondInput>(
        in, outputs, second_key_, second_keys_,
        [this](const auto& value, auto& context, auto& out) {
          this->function_.F::process_second(value, context, out);
        });
  }

 private:
  const FirstSelector first_key_;
  const SecondSelector second_key_;
  KeysOfGroup<FirstSelector> first_keys_;
  KeysOfGroup<SecondSelector> second_keys_;
};

}  // namespace millrace::detail
