// Rolling aggregates over a keyed stream: reduce, sum, min, max, min_by and max_by. Each key keeps
// one accumulated record. While streaming, every record emits the new one, as in Flink; in batch
// mode each key emits once, at the end of the input.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "millrace/core/codec/codec.h"
#include "millrace/core/records/hash.h"
#include "millrace/core/records/record.h"
#include "millrace/operators/key_selector.h"
#include "millrace/operators/operator.h"
#include "millrace/state/hot_table.h"

namespace millrace::detail {

// What Combine does to the accumulated record when a further one of its key arrives. kKeeps<M>
// tells that it never changes a member of type M; kCheap, that doing it twice costs less than
// waiting until the record can be read after it was partly written.
template <class T, class M>
struct SumOf {
  static constexpr bool kCheap = true;
  template <class Other>
  static constexpr bool kKeeps = !std::is_same_v<Other, M>;
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if constexpr (std::is_integral_v<M> && !std::is_same_v<M, bool>) {
      using Bits = std::make_unsigned_t<M>;  // beyond its range a sum wraps around, as in Flink
      accumulated.*member =
          static_cast<M>(static_cast<Bits>(accumulated.*member) + static_cast<Bits>(value.*member));
    } else {
      accumulated.*member += value.*member;
    }
  }
};
template <class T, class M>
struct MinOf {
  static constexpr bool kCheap = true;
  template <class Other>
  static constexpr bool kKeeps = !std::is_same_v<Other, M>;
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (value.*member < accumulated.*member) accumulated.*member = value.*member;
  }
};
template <class T, class M>
struct MaxOf {
  static constexpr bool kCheap = true;
  template <class Other>
  static constexpr bool kKeeps = !std::is_same_v<Other, M>;
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (accumulated.*member < value.*member) accumulated.*member = value.*member;
  }
};
// The whole record that holds the extreme; of several the first.
template <class T, class M>
struct MinByOf {
  static constexpr bool kCheap = false;
  template <class>
  static constexpr bool kKeeps = true;  // all records of an entry have the same key
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (value.*member < accumulated.*member) accumulated = value;
  }
};
template <class T, class M>
struct MaxByOf {
  static constexpr bool kCheap = false;
  template <class>
  static constexpr bool kKeeps = true;  // all records of an entry have the same key
  M T::*member;
  void operator()(T& accumulated, const T& value) const {
    if (accumulated.*member < value.*member) accumulated = value;
  }
};
template <class T, class F>
struct ReduceBy {
  static constexpr bool kCheap = false;
  template <class>
  static constexpr bool kKeeps = false;
  F function;
  void operator()(T& accumulated, const T& value) const {
    accumulated = function(std::as_const(accumulated), value);
  }
};

template <class T, class Selector, class Combine>
inline constexpr bool kKeepsKey = false;
template <class T, class M, class Combine>
inline constexpr bool kKeepsKey<T, MemberKey<T, M>, Combine> = Combine::template kKeeps<M>;
template <class T, class... M, class Combine>
inline constexpr bool kKeepsKey<T, MembersKey<T, M...>, Combine> = (Combine::template kKeeps<M> &&
                                                                    ...);

template <class T, class Selector, class Combine>
class RollingOperator final : public Operator {
  using Key = typename Selector::Key;

  // An accumulated record tells its key, as every record does, unless the aggregate may change it.
  static constexpr bool kKeyInRecord = kKeepsKey<T, Selector, Combine>;
  using Entry = std::conditional_t<kKeyInRecord, T, std::pair<Key, T>>;

 public:
  RollingOperator(Selector key, Combine combine)
      : key_(key), combine_(std::move(combine)), table_(HashOf{key}) {}

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
    const bool end = table_.visit(emitted_, [&](Entry& entry) {
      if (outputs.full(out)) return false;
      out.push(std::as_const(record_of(entry)));
      return true;
    });
    return end ? Progress::kDone : Progress::kMore;
  }

  Status snapshot(Snapshot& snapshot) override {
    std::vector<const void*> entries;
    std::size_t position = emitted_;
    table_.visit(position, [&](Entry& entry) {
      entries.push_back(&entry);
      return true;
    });
    std::string bytes;
    Status encoded = encode_rows(type_of<Entry>(), entries, bytes);
    if (encoded) snapshot.put("accumulated", std::move(bytes));
    return encoded;
  }

  Status restore(const Snapshot& snapshot) override {
    Result<std::string_view> bytes = snapshot.get("accumulated");
    if (!bytes) return bytes.error();
    Result<std::size_t> count = decode_row_count(type_of<Entry>(), *bytes);
    if (!count) return count.error();
    const std::unique_ptr<Entry[]> rows(new Entry[*count]());
    const std::span<Entry> entries(rows.get(), *count);
    Status decoded = decode_all(type_of<Entry>(), *bytes, MutableRows::of(entries));
    if (!decoded) return decoded;
    for (Entry& entry : entries) {
      table_.emplace(
          HashOf{key_}(entry), [](const Entry&) { return false; },
          [&] { return std::move(entry); });
    }
    return {};
  }

 private:
  static constexpr std::size_t kGroup = 256;
  static constexpr std::size_t kAhead = 16;  // how far memory is fetched before it is needed

  struct HashOf {
    Selector key;
    std::uint64_t operator()(const Entry& entry) const {
      if constexpr (kKeyInRecord) {
        return key.hash(entry);
      } else {
        return hash_key(entry.first);
      }
    }
  };

  static T& record_of(Entry& entry) {
    if constexpr (kKeyInRecord) {
      return entry;
    } else {
      return entry.second;
    }
  }

  bool matches(const Entry& entry, const T& value) const {
    if constexpr (kKeyInRecord) {
      return key_.same(entry, value);
    } else {
      return key_.matches(entry.first, value);
    }
  }

  Entry make_entry(const T& value) const {
    if constexpr (kKeyInRecord) {
      return value;
    } else {
      return {Key(key_.key(value)), value};
    }
  }

  void update(Batch<T>& batch, std::size_t begin, std::size_t end, Batch<T>& out) {
    const std::span<const T> values = std::as_const(batch).values().subspan(begin, end - begin);
    table_.make_room(values.size());
    hash(values);
    const bool emits = emission_ == Emission::kEveryUpdate;
    T* const results = emits ? out.extend(values.size()) : nullptr;
    for (std::size_t i = 0; i < std::min(kAhead, values.size()); ++i) {
      slots_[i] = table_.prefetch_entry(hashes_[i]);
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i + kAhead < values.size()) {
        slots_[i + kAhead] = table_.prefetch_entry(hashes_[i + kAhead]);
      }
      if (i + kAhead / 2 < values.size()) table_.prefetch_contents(slots_[i + kAhead / 2]);
      add(slots_[i], hashes_[i], values[i], emits ? results + i : nullptr);
    }
    if (!emits) return;
    out.account_for(values.size());
    if (batch.stamped()) out.stamp(batch.timestamps().subspan(begin, values.size()));
  }

  void hash(std::span<const T> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i + kAhead < values.size()) prefetch_heap(values[i + kAhead]);
      hashes_[i] = key_.hash(values[i]);
      table_.prefetch_tag(hashes_[i]);
    }
  }

  // Leaves the new aggregate of the value's key in `result`, if there is one.
  void add(std::size_t slot, std::uint64_t hash, const T& value, T* result) {
    auto [entry, is_new] = table_.emplace(
        slot, hash, [&](const Entry& other) { return matches(other, value); },
        [&] { return make_entry(value); });
    T& accumulated = record_of(entry);
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
  HotTable<Entry, HashOf> table_;
  std::size_t emitted_ = 0;  // at the end of the input: where the next key to emit stands
  std::array<std::uint64_t, kGroup> hashes_;  // of the group of records at hand
  std::array<std::size_t, kGroup> slots_;
};

}  // namespace millrace::detail
