// One process function under test, without job, threads or clock:
//
//   test::Harness<Detector> detector(50'000);   // as .process<Detector>(50'000)
//   detector.push({"alice", 1, at(0s)});
//   detector.advance_watermark(at(61s));
//   EXPECT_TRUE(detector.take().empty());
//
// A keyed function's key is the record's first field of the key's type, and its time the first
// Timestamp, if there is one; key_by() and event_time() choose others. What the function throws
// comes out of push(), and what it returns as an error as a std::runtime_error. A function with a
// broadcast stream is given that one's records by push_broadcast().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "millrace/core/records/reflect.h"
#include "millrace/operators/broadcast_process.h"
#include "millrace/operators/endpoints.h"
#include "millrace/operators/key_selector.h"
#include "millrace/state/memory_environment.h"
#include "millrace/testing/manual_clock.h"

namespace millrace::detail {

// The operator under test, behind its contract.
class HarnessOperator {
 public:
  HarnessOperator(std::function<std::unique_ptr<Operator>()> make, BatchPtr output);

  void process(std::uint32_t input, BatchPtr batch);
  void advance_watermark(Timestamp watermark);
  // Goes on in a new instance that restores what the old one held.
  void snapshot_and_restore();

  // What has come out since it was last asked for; null if nothing ever came to that tag.
  AnyBatch& output() { return *taken_.front(); }
  AnyBatch* side_output(std::string_view tag);

 private:
  template <class Call>
  void drive(Call call);
  void open(const Snapshot* restored = nullptr);

  std::function<std::unique_ptr<Operator>()> make_;
  Outputs outputs_;
  std::vector<BatchPtr> taken_;  // by output
  ManualClock clock_;
  MemoryEnvironment keyed_;
  std::unique_ptr<Operator> operator_;
};

// The first field of that type; null if there is none.
template <class Field, class Record>
const Field* first_field(const Record& record) {
  const Field* found = nullptr;
  with_fields(record, [&](const auto&... fields) {
    const auto look = [&](const auto& field) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, Field>) {
        if (found == nullptr) found = &field;
      }
    };
    (look(fields), ...);
  });
  return found;
}

template <class T>
std::vector<T> take_all(AnyBatch& batch) {
  auto& typed = static_cast<Batch<T>&>(batch);
  std::vector<T> values(std::make_move_iterator(typed.values().begin()),
                        std::make_move_iterator(typed.values().end()));
  typed.clear();
  return values;
}

template <class F>
concept KeyedFunction = requires {
  typename F::Key;
};

}  // namespace millrace::detail

namespace millrace::test {

// So long after the beginning of time: at(61s).
inline Timestamp at(std::chrono::milliseconds time) { return Timestamp(time); }

template <class F>
class Harness {
  using In = typename F::Input;
  using Out = typename F::Output;

 public:
  // The arguments of the function's constructor.
  template <class... Arguments>
  explicit Harness(Arguments&&... arguments)
      : operator_(factory(detail::maker_of<F>(std::forward<Arguments>(arguments)...)),
                  detail::make_batch<Out>()) {}
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  template <class KeyOf>
  Harness& key_by(KeyOf key) requires detail::KeyedFunction<F> {
    *key_of_ = [key](const In& record) { return std::invoke(key, record); };
    return *this;
  }
  template <class TimeOf>
  Harness& event_time(TimeOf time) {
    time_of_ = [time](const In& record) { return std::optional(std::invoke(time, record)); };
    return *this;
  }

  void push(In record) {
    detail::BatchPtr batch = detail::make_batch<In>();
    auto& typed = static_cast<detail::Batch<In>&>(*batch);
    if (const std::optional<Timestamp> time = time_of_(record)) {
      typed.push(std::move(record), *time);
    } else {
      typed.push(std::move(record));
    }
    operator_.process(0, std::move(batch));
  }

  // A record of the broadcast stream.
  template <class Record>
  void push_broadcast(Record record) {
    using Broadcast = typename F::BroadcastInput;
    detail::BatchPtr batch = detail::make_batch<Broadcast>();
    static_cast<detail::Batch<Broadcast>&>(*batch).push(Broadcast(std::move(record)));
    operator_.process(1, std::move(batch));
  }

  void advance_watermark(Timestamp watermark) { operator_.advance_watermark(watermark); }

  // As after a failure: what is not state is lost.
  void snapshot_and_restore() { operator_.snapshot_and_restore(); }

  // The results since they were last taken.
  std::vector<Out> take() { return detail::take_all<Out>(operator_.output()); }
  template <class X>
  std::vector<X> take(const OutputTag<X>& tag) {
    detail::AnyBatch* const batch = operator_.side_output(tag.name);
    return batch ? detail::take_all<X>(*batch) : std::vector<X>();
  }

 private:
  template <class Make>
  detail::OperatorFactory factory(Make make) {
    if constexpr (detail::KeyedFunction<F>) {
      using Key = typename F::Key;
      const auto key = [key_of = key_of_](const In& record) { return (*key_of)(record); };
      const detail::FunctionKey<In, decltype(key)> selector{key};
      static_assert(std::is_same_v<typename decltype(selector)::Key, Key>);
      using Selector = std::decay_t<decltype(selector)>;
      using Operator = std::conditional_t<detail::TakesBroadcast<F>,
                                          detail::KeyedBroadcastProcessOperator<F, Selector>,
                                          detail::KeyedProcessOperator<F, Selector>>;
      return [make, selector] { return std::make_unique<Operator>(make, selector); };
    } else {
      using Operator =
          std::conditional_t<detail::TakesBroadcast<F>, detail::BroadcastProcessOperator<F>,
                             detail::ProcessOperator<F>>;
      return [make] { return std::make_unique<Operator>(make); };
    }
  }

  static auto default_key() {
    if constexpr (detail::KeyedFunction<F>) {
      using Key = typename F::Key;
      return std::make_shared<std::function<Key(const In&)>>([](const In& record) {
        const Key* const key = detail::first_field<Key>(record);
        check(key != nullptr, "the record has no field of the key's type: use key_by()");
        return *key;
      });
    } else {
      return nullptr;
    }
  }

  static std::optional<Timestamp> default_time(const In& record) {
    if constexpr (is_accepted_struct) {
      const Timestamp* const time = detail::first_field<Timestamp>(record);
      return time ? std::optional(*time) : std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  static constexpr bool is_accepted_struct = std::is_class_v<In> && std::is_aggregate_v<In>;

  decltype(default_key()) key_of_ = default_key();
  std::function<std::optional<Timestamp>(const In&)> time_of_ = default_time;
  detail::HarnessOperator operator_;
};

}  // namespace millrace::test
