// map, filter and flat_map: the user's function, inlined into a loop over the batch.
#pragma once

#include "millrace/operators/collector.h"
#include "millrace/operators/operator.h"

namespace millrace::detail {

template <class In, class Out, class F>
class MapOperator final : public Operator {
 public:
  explicit MapOperator(F function) : function_(std::move(function)) {}

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& outputs) override {
    if constexpr (kHasHeap<Out>) {
      return one_by_one(in, outputs);
    } else {
      all_at_once(in, outputs.get<Out>(0));
      return Progress::kDone;
    }
  }

 private:
  void all_at_once(Cursor& in, Batch<Out>& out) {
    Batch<In>& batch = in.as<In>();
    const std::size_t count = batch.size() - in.next;
    const In* __restrict from = batch.values().data() + in.next;
    Out* __restrict to = out.extend(count);
#pragma GCC unroll 4
    for (std::size_t row = 0; row < count; ++row) to[row] = function_(from[row]);
    if (batch.stamped()) out.stamp(batch.timestamps().subspan(in.next));
    in.next = batch.size();
  }

  // Small records may give large ones.
  Progress one_by_one(Cursor& in, Outputs& outputs) {
    Batch<In>& batch = in.as<In>();
    Batch<Out>& out = outputs.get<Out>(0);
    for (; in.next < batch.size(); ++in.next) {
      if (outputs.full(out)) return Progress::kMore;
      out.push(function_(std::as_const(batch).values()[in.next]));
      if (batch.stamped()) out.stamp(batch.timestamp(in.next));
    }
    return Progress::kDone;
  }

  const F function_;
};

template <class T, class F>
class FilterOperator final : public Operator {
 public:
  explicit FilterOperator(F predicate) : predicate_(std::move(predicate)) {}

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& outputs) override {
    Batch<T>& batch = in.as<T>();
    Batch<T>& out = outputs.get<T>(0);
    if constexpr (std::is_trivially_copyable_v<T>) {
      if (!batch.stamped()) {
        compact(batch.values().subspan(in.next), out);
        in.next = batch.size();
        return Progress::kDone;
      }
    }
    for (; in.next < batch.size(); ++in.next) {
      T& value = batch.values()[in.next];
      if (!predicate_(std::as_const(value))) continue;
      push(out, value, in.shared);
      if (batch.stamped()) out.stamp(batch.timestamp(in.next));
    }
    return Progress::kDone;
  }

 private:
  // Without a branch on the predicate: every value is written, and overwritten if not wanted.
  void compact(std::span<const T> values, Batch<T>& out) {
    const T* __restrict from = values.data();
    T* __restrict to = out.extend(values.size());
    std::size_t kept = 0;
    const auto take = [&](std::size_t row) {
      to[kept] = from[row];
      kept += predicate_(from[row]) ? 1 : 0;
    };
    std::size_t row = 0;
    for (; row + 4 <= values.size(); row += 4) {
      take(row);
      take(row + 1);
      take(row + 2);
      take(row + 3);
    }
    for (; row < values.size(); ++row) take(row);
    out.shrink(values.size() - kept);
  }

  static void push(Batch<T>& out, T& value, bool shared) {
    if constexpr (std::is_copy_assignable_v<T>) {
      if (shared) return out.push(std::as_const(value));
    } else {
      check(!shared, "a batch of move-only records was shared");
    }
    out.push(std::move(value));
  }

  const F predicate_;
};

template <class In, class Out, class F>
class FlatMapOperator final : public Operator {
 public:
  explicit FlatMapOperator(F function) : function_(std::move(function)) {}

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& outputs) override {
    Batch<In>& batch = in.as<In>();
    Batch<Out>& out = outputs.get<Out>(0);
    Collector<Out> collector(out);
    for (; in.next < batch.size(); ++in.next) {
      if (outputs.full(out)) return Progress::kMore;
      if (batch.stamped()) collector.set_timestamp(batch.timestamp(in.next));
      function_(std::as_const(batch.values()[in.next]), collector);
    }
    return Progress::kDone;
  }

 private:
  const F function_;
};

}  // namespace millrace::detail
