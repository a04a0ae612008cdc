// Rolling aggregates over a keyed stream: reduce, sum, min, max, min_by and max_by. Each key keeps
// one accumulated record. While streaming, every record emits the new one, as in Flink; in batch
// mode each key emits once, at the end of the input.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "millrace/core/codec.h"
#include "millrace/core/hash.h"
#include "millrace/core/record.h"
#include "millrace/operators/operator.h"
#include "millrace/state/hot_table.h"

namespace millrace::detail {

// What Combine does to the accumulated record when a further one of its key arrives.
template <class T, class M>
struct SumOf {
  M T::*member;
  void operator()(T& accumulated, const T& value) const { accumulated.*member += value.*member; }
};
template <class T, class M>
struct MinOf {
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (value.*member < accumulated.*member) accumulated.*member = value.*member;
  }
};
template <class T, class M>
struct MaxOf {
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (accumulated.*member < value.*member) accumulated.*member = value.*member;
  }
};
// The whole record that holds the extreme; of several the first.
template <class T, class M>
struct MinByOf {
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (value.*member < accumulated.*member) accumulated = value;
  }
};
template <class T, class M>
struct MaxByOf {
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (accumulated.*member < value.*member) accumulated = value;
  }
};
template <class T, class F>
struct ReduceBy {
  F function;
  void operator()(T& accumulated, const T& value) const {
    accumulated = function(std::as_const(accumulated), value);
  }
};

template <class T, class Selector, class Combine>
class RollingOperator final : public Operator {
  using Key = typename Selector::Key;

 public:
  RollingOperator(Selector key, Combine combine)
      : key_(std::move(key)), combine_(std::move(combine)) {}

  Status open(const OperatorContext& context) override {
    emission_ = context.emission;
    return {};
  }

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& outputs) override {
    Batch<T>& batch = in.as<T>();
    Batch<T>& out = outputs.get<T>(0);
    while (!in.done()) {
      if (outputs.full(out)) return Progress::kMore;
      const std::size_t end = std::min(batch.size(), in.next + kGroup);
      update(batch, in.next, end, out);
      in.next = end;
    }
    return Progress::kDone;
  }

  Result<Progress> finish(Outputs& outputs) override {
    if (emission_ == Emission::kEveryUpdate) return Progress::kDone;
    Batch<T>& out = outputs.get<T>(0);
    const bool end = table_.visit(emitted_, [&](auto& entry) {
      if (outputs.full(out)) return false;
      out.push(std::as_const(entry.value));
      return true;
    });
    return end ? Progress::kDone : Progress::kMore;
  }

  Status snapshot(Snapshot& snapshot) override {
    std::vector<const void*> keys;
    std::vector<const void*> values;
    std::size_t position = emitted_;
    table_.visit(position, [&](auto& entry) {
      keys.push_back(&entry.key);
      values.push_back(&entry.value);
      return true;
    });
    Status put = put_rows(snapshot, "keys", type_of<Key>(), keys);
    return put ? put_rows(snapshot, "accumulated", type_of<T>(), values) : put;
  }

  // The key is not asked of the accumulated record: an aggregate may change what it is made of.
  Status restore(const Snapshot& snapshot) override {
    Result<std::vector<Key>> keys = get_rows<Key>(snapshot, "keys");
    if (!keys) return keys.error();
    Result<std::vector<T>> values = get_rows<T>(snapshot, "accumulated");
    if (!values) return values.error();
    if (keys->size() != values->size()) {
      return corruption("the snapshot of an aggregate holds more keys than values, or fewer");
    }
    for (std::size_t i = 0; i < keys->size(); ++i) {
      Key& key = (*keys)[i];
      const auto matches = [&](const Key& other) { return key_equal(other, key); };
      table_.emplace(hash_key(key), matches, [&] { return std::move(key); }).first.value =
          std::move((*values)[i]);
    }
    return {};
  }

 private:
  static constexpr std::size_t kGroup = 256;
  static constexpr std::size_t kAhead = 16;  // how far memory is fetched before it is needed

  static Status put_rows(Snapshot& snapshot, std::string_view name, const Type& type,
                         const std::vector<const void*>& rows) {
    std::string bytes;
    Status encoded = encode_rows(type, rows, bytes);
    if (encoded) snapshot.put(name, std::move(bytes));
    return encoded;
  }
  template <class Row>
  static Result<std::vector<Row>> get_rows(const Snapshot& snapshot, std::string_view name) {
    Result<std::string_view> bytes = snapshot.get(name);
    if (!bytes) return bytes.error();
    return decode_rows<Row>(*bytes);
  }

  void update(Batch<T>& batch, std::size_t begin, std::size_t end, Batch<T>& out) {
    const std::span<const T> values = std::as_const(batch).values().subspan(begin, end - begin);
    hash(values);
    for (std::size_t i = 0; i < std::min(kAhead, values.size()); ++i) {
      table_.prefetch_entry(hashes_[i]);
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i + kAhead < values.size()) table_.prefetch_entry(hashes_[i + kAhead]);
      if (i + kAhead / 2 < values.size()) table_.prefetch_contents(hashes_[i + kAhead / 2]);
      auto [entry, is_new] = emplace(hashes_[i], values[i]);
      if (is_new) {
        entry.value = values[i];
      } else {
        combine_(entry.value, values[i]);
      }
      if (emission_ == Emission::kEveryUpdate) {
        out.push(std::as_const(entry.value));
        if (batch.stamped()) out.stamp(batch.timestamp(begin + i));
      }
    }
  }

  void hash(std::span<const T> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i + kAhead < values.size()) prefetch_heap(values[i + kAhead]);
      hashes_[i] = key_.hash(values[i]);
      table_.prefetch_tag(hashes_[i]);
    }
  }

  auto emplace(std::uint64_t hash, const T& value) {
    return table_.emplace(
        hash, [&](const Key& key) { return key_.matches(key, value); },
        [&] { return Key(key_.key(value)); });
  }

  const Selector key_;
  const Combine combine_;
  Emission emission_ = Emission::kEveryUpdate;
  HotTable<Key, T> table_;
  std::size_t emitted_ = 0;  // at the end of the input: where the next key to emit stands
  std::array<std::uint64_t, kGroup> hashes_;
};

}  // namespace millrace::detail
