// Rolling aggregates over a keyed stream: reduce, sum, min, max, min_by and max_by. Each key keeps
// one accumulated record. While streaming, every record emits the new one, as in Flink; in batch
// mode each key emits once, at the end of the input, and is forgotten.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "millrace/operators/aggregates.h"
#include "millrace/operators/operator.h"
#include "millrace/operators/rolling_table.h"

namespace millrace::detail {

template <class T, class Selector, class Combine>
inline constexpr bool kKeepsKey = false;
template <class T, class M, class Combine>
inline constexpr bool kKeepsKey<T, MemberKey<T, M>, Combine> = Combine::template kKeeps<M>;
template <class T, class... M, class Combine>
inline constexpr bool kKeepsKey<T, MembersKey<T, M...>, Combine> = (Combine::template kKeeps<M> &&
                                                                    ...);

template <class T, class Selector, class Combine>
class RollingOperator final : public Operator {
  using Table = RollingTable<T, Selector, kKeepsKey<T, Selector, Combine>>;
  using Place = RowTable::Place;

 public:
  RollingOperator(Selector key, Combine combine)
      : key_(key), combine_(std::move(combine)), table_(key) {
    state_.add(table_);
  }

  Status open(const OperatorContext& context) override {
    emission_ = context.emission;
    return state_.open({.name = context.name,
                        .key_groups = context.key_groups,
                        .max_parallelism = context.max_parallelism,
                        .clock = context.clock,
                        .environment = context.state});
  }
  KeyedBackend* keyed_backend() override { return &state_; }

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& outputs) override {
    Batch<T>& batch = in.as<T>();
    Batch<T>& out = outputs.get<T>(0);
    while (!in.done()) {
      if (outputs.full(out)) return Progress::kMore;
      const std::size_t end = std::min(batch.size(), in.next + kGroup);
      Status updated = update(batch, in.next, end, out);
      if (!updated) return updated.error();
      state_.tidy_up();
      in.next = end;
    }
    return Progress::kDone;
  }

  Result<Progress> finish(Outputs& outputs) override {
    if (emission_ == Emission::kEveryUpdate) return Progress::kDone;
    Batch<T>& out = outputs.get<T>(0);
    return table_.drain([&](const T& record) {
      if (outputs.full(out)) return false;
      out.push(record);
      return true;
    });
  }

 private:
  static constexpr std::size_t kGroup = 256;
  static constexpr std::size_t kAhead = 16;  // how far memory is fetched before it is needed

  Status update(Batch<T>& batch, std::size_t begin, std::size_t end, Batch<T>& out) {
    const std::span<const T> values = std::as_const(batch).values().subspan(begin, end - begin);
    const std::span<const std::uint64_t> hashes(hashes_.data(), values.size());
    hash(values);
    Status loaded = table_.load_missing(values, hashes);
    if (!loaded) return loaded;
    const bool emits = emission_ == Emission::kEveryUpdate;
    T* const results = emits ? out.extend(values.size()) : nullptr;
    for (std::size_t i = 0; i < std::min(kAhead, values.size()); ++i) {
      near_[i] = table_.prefetch_row(hashes[i]);
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i + kAhead < values.size()) {
        near_[i + kAhead] = table_.prefetch_row(hashes[i + kAhead]);
      }
      if (i + kAhead / 2 < values.size()) table_.prefetch_contents(near_[i + kAhead / 2]);
      const std::uint64_t moves = table_.moves();
      add(near_[i], hashes[i], values[i], emits ? results + i : nullptr);
      if (table_.moves() != moves) [[unlikely]]
        look_again(hashes, i + 1);
    }
    if (!emits) return {};
    out.account_for(values.size());
    if (batch.stamped()) out.stamp(batch.timestamps().subspan(begin, values.size()));
    return {};
  }

  void hash(std::span<const T> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i + kAhead < values.size()) prefetch_heap(values[i + kAhead]);
      hashes_[i] = key_.hash(values[i]);
      table_.prefetch_tag(hashes_[i]);
    }
  }

  // Rows have moved: what was fetched for the next records is somewhere else.
  void look_again(std::span<const std::uint64_t> hashes, std::size_t first) {
    for (std::size_t i = first; i < std::min(first + kAhead, hashes.size()); ++i) {
      near_[i] = table_.prefetch_row(hashes[i]);
    }
  }

  // Leaves the new aggregate of the value's key in `result`, if there is one.
  void add(Place near, std::uint64_t hash, const T& value, T* result) {
    auto [accumulated, is_new] = table_.emplace_record(near, hash, value);
    if constexpr (Combine::kCheap) {
      if (result) *result = std::as_const(accumulated);
      if (is_new) return;
      if (result) combine_(*result, value);
      combine_(accumulated, value);
    } else {
      if (!is_new) combine_(accumulated, value);
      if (result) *result = std::as_const(accumulated);
    }
  }

  const Selector key_;
  const Combine combine_;
  Emission emission_ = Emission::kEveryUpdate;
  Table table_;
  KeyedState state_;                          // ends first: it refers to the table
  std::array<std::uint64_t, kGroup> hashes_;  // of the group of records at hand
  std::array<Place, kGroup> near_;
};

}  // namespace millrace::detail
