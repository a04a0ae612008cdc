// The state of a rolling aggregate: for each key its accumulated record. A record that tells its
// own key is kept without one.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "millrace/core/records/record.h"
#include "millrace/operators/key_selector.h"
#include "millrace/operators/operator.h"
#include "millrace/state/hot_table.h"
#include "millrace/state/key_codec.h"
#include "millrace/state/keyed_state.h"

namespace millrace::detail {

template <class T, class Selector, bool key_in_record>
using RollingRow = std::conditional_t<key_in_record, T, std::pair<typename Selector::Key, T>>;

template <class T, class Selector, bool key_in_record>
struct HashOfRolling {
  Selector key;
  std::uint64_t operator()(const RollingRow<T, Selector, key_in_record>& row) const {
    if constexpr (key_in_record) {
      return key.hash(row);
    } else {
      return hash_key(row.first);
    }
  }
};

template <class T, class Selector, bool key_in_record>
class RollingTable final : public StatePart,
                           public HotTable<RollingRow<T, Selector, key_in_record>,
                                           HashOfRolling<T, Selector, key_in_record>> {
  using Key = typename Selector::Key;
  using Row = RollingRow<T, Selector, key_in_record>;
  using HashOf = HashOfRolling<T, Selector, key_in_record>;
  using Table = HotTable<Row, HashOf>;

 public:
  using Place = RowTable::Place;

  explicit RollingTable(const Selector& key)
      : StatePart(
            {.name = "aggregate", .kind = "value", .key = &type_of<Key>(), .value = &type_of<T>()}),
        Table(HashOf{key}) {}

  RowTable& rows() override { return *this; }

  // The record of the value's key, which is the value itself if there was none; and whether so.
  std::pair<T&, bool> emplace_record(Place near, std::uint64_t hash, const T& value) {
    const auto [place, is_new] = this->emplace(
        near, hash, [&](const Row& row) { return matches(row, value); },
        [&] { return make_row(value); });
    return {record_of(this->at(place)), is_new};
  }

  // What the database has of the values' keys is in memory from then on.
  Status load_missing(std::span<const T> values, std::span<const std::uint64_t> hashes) {
    state().count_lookups(values.size());
    return state().may_load() ? load(values, hashes) : Status();
  }

  // Gives the records to take(), as long as that returns true, and forgets those it took.
  template <class Take>
  Result<Progress> drain(const Take& take) {
    const bool all = this->visit(drained_rows_, [&](Place place) {
      if (!take(std::as_const(record_of(this->at(place))))) return false;
      forget(place);
      return true;
    });
    if (!all) return Progress::kMore;
    return state().may_load() ? drain_database(take) : Progress::kDone;
  }

 private:
  static T& record_of(Row& row) {
    if constexpr (key_in_record) {
      return row;
    } else {
      return row.second;
    }
  }
  bool matches(const Row& row, const T& value) const {
    if constexpr (key_in_record) {
      return selector().same(row, value);
    } else {
      return selector().matches(row.first, value);
    }
  }
  Row make_row(const T& value) const {
    if constexpr (key_in_record) {
      return value;
    } else {
      return {Key(selector().key(value)), value};
    }
  }
  const Selector& selector() const { return this->hash_of().key; }

  std::string key_of(const Row& row) const {
    std::string key;
    KeyedState::begin_key(key, this->hash_of()(row), id());
    if constexpr (key_in_record) {
      append_key(key, static_cast<const Key&>(selector().key(row)));
    } else {
      append_key(key, row.first);
    }
    return key;
  }
  std::string key_of(const T& value, std::uint64_t hash) const {
    std::string key;
    KeyedState::begin_key(key, hash, id());
    append_key(key, static_cast<const Key&>(selector().key(value)));
    return key;
  }

  void save_row(void* at, bool) override { save(at, state().images()); }
  void evict_row(void* at) override { save(at, state().changes()); }
  void save(void* at, RowBuffer& into) {
    Row& row = *static_cast<Row*>(at);
    const std::string key = key_of(row);
    const auto encode_record = [&](std::string& out) { return encode(&record_of(row), out); };
    Status encoded = into.put_encoded(key, key.size(), encode_record);
    if (!encoded) state().fail(std::move(encoded));
  }

  void forget(Place place) {
    this->touch(place);  // what is frozen is saved first
    if (this->is_stored(place)) state().changes().remove(key_of(this->at(place)));
    this->erase(place);
  }

  Status load(std::span<const T> values, std::span<const std::uint64_t> hashes);
  template <class Take>
  Result<Progress> drain_database(const Take& take);

  typename Table::Position drained_rows_;
  std::unique_ptr<RowScan> drain_;
};

template <class T, class Selector, bool key_in_record>
Status RollingTable<T, Selector, key_in_record>::load(std::span<const T> values,
                                                      std::span<const std::uint64_t> hashes) {
  std::vector<std::size_t> missing;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Place place =
        this->find(hashes[i], [&](const Row& row) { return matches(row, values[i]); });
    if (place) this->note_use(place);
    if (place || !this->evicted().may_have(hashes[i])) continue;
    missing.push_back(i);
    keys.push_back(key_of(values[i], hashes[i]));
  }
  if (missing.empty()) return {};
  Status decoded;
  const std::size_t before = this->size();
  const Status loaded = state().load(keys, [&](std::size_t number, std::string_view bytes) {
    const std::size_t i = missing[number];
    const auto [place, is_new] = this->emplace(
        hashes[i], [&](const Row& row) { return matches(row, values[i]); },
        [&] { return make_row(values[i]); });
    if (!is_new) return;
    Status status = decode(bytes, &record_of(this->at(place)));
    if (decoded) decoded = std::move(status);
    this->mark_stored(place);
  });
  const std::size_t rows = this->size() - before;
  if (rows < missing.size()) this->evicted().count_in_vain(missing.size() - rows);
  return loaded ? decoded : loaded;
}

template <class T, class Selector, bool key_in_record>
template <class Take>
Result<Progress> RollingTable<T, Selector, key_in_record>::drain_database(const Take& take) {
  bool more = drain_ != nullptr;  // the row that was not taken is at hand
  if (!more) drain_ = state().scan_all(KeyedState::prefix_of(id()));
  for (T record;; more = false) {
    if (!more) {
      const Result<bool> moved = drain_->next();
      if (!moved) return moved.error();
      if (!*moved) break;
    }
    Status decoded = decode(drain_->value(), &record);
    if (!decoded) return decoded.error();
    if (!take(std::as_const(record))) return Progress::kMore;
    state().changes().remove(drain_->key());
  }
  drain_.reset();
  return Progress::kDone;
}

}  // namespace millrace::detail
