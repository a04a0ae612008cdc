// A declared state by key: for each key of the stream a cell, which is a value, a list, a map or a
// set of timers. Handles see AnyKeyTable, which knows neither the key's type nor the cell's, and
// always works on the key of the record at hand. KeyTable is typed.
//
// A cell is a struct with
//
//   static constexpr std::string_view kKind;
//   static const Type* entry_type();          // of what its rows' keys end with; null if nothing
//   static const Type& value_type();
//   static constexpr bool kOneRow;            // it is one row, which needs no scan to load
//   void save(RowsOf& rows, bool stored);     // what was changed since it was last saved
//   void remove(RowsOf& rows, bool stored);   // all that the database may have
//   Status load(const StatePart& part, std::string_view entry, std::string_view value);
//   std::size_t heap() const;                 // about how much it holds outside itself
//   bool has_expired(Timestamp limit) const;  // whether something was touched last then or before
//   bool expire(Timestamp limit);             // forgets that; whether all is gone
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/records/record.h"
#include "millrace/state/current_keys.h"
#include "millrace/state/hot_table.h"
#include "millrace/state/key_codec.h"
#include "millrace/state/keyed_state.h"
#include "millrace/state/namespaced.h"
#include "millrace/state/state_part.h"

namespace millrace::detail {

class AnyKeyTable : public StatePart {
 public:
  using Place = RowTable::Place;

  AnyKeyTable(StateDeclaration declaration, const CurrentKeys& current, std::size_t cell_offset);

  // A new group of records begins, or the last one ends.
  void begin_group() { ++changes_, looked_up_ = false; }

  // The current key's cell; null if it has none.
  void* find() {
    const Place place = current_place();
    return place ? cell_at(place) : nullptr;
  }
  // The same, to be changed; it is made if there is none.
  void* edit() {
    const Place place = current_place();
    if (!place) [[unlikely]]
      return add();
    table_->touch(place);
    return cell_at(place);
  }
  // The current key has a cell no more.
  void erase() {
    if (const Place place = current_place()) forget(place);
  }

  RowTable& rows() final { return *table_; }

 protected:
  struct Known {
    Place place;
    std::uint64_t changes = 0;  // as it was when the place was looked up
  };

  void set_table(RowTable& table) { table_ = &table; }
  const CurrentKeys& current() const { return current_; }
  void* cell_at(Place place) const {
    return static_cast<char*>(table_->row_at(place)) + cell_offset_;
  }
  // Rows may have moved: only that one is known.
  void know_only(Place place) { known_[current_.index] = {place, ++changes_}; }
  void know(std::size_t index, Place place) { known_[index] = {place, changes_}; }
  // What the database cannot give fails the call into user code that asked for it, by an exception,
  // and the task: who catches that would go on as if the key had no state.
  [[noreturn]] void fail_call(const Error& error);

 private:
  // Looks up the keys from the one at hand on, all those of the group the first time.
  virtual void look_up_group() = 0;
  virtual Place look_up() = 0;
  virtual void* add() = 0;
  virtual void forget(Place place) = 0;

  Place current_place() {
    const Known& known = known_[current_.index];
    return known.changes == changes_ ? known.place : find_place();
  }
  Place find_place();

  const CurrentKeys& current_;
  const std::size_t cell_offset_;
  RowTable* table_ = nullptr;
  std::uint64_t changes_ = 1;  // of places
  bool looked_up_ = false;     // the group
  std::array<Known, kMostKeys> known_;
};

// The rows of one cell, on their way into a buffer.
class RowsOf {
 public:
  RowsOf(const StatePart& part, std::uint64_t hash) : part_(part) {
    KeyedState::begin_key(key_, hash, part.description().id);
  }

  std::string& key() { return key_; }  // to append the stream's key to
  void key_ends(KeyedState& state, RowBuffer& into) {
    key_bytes_ = key_.size();
    state_ = &state;
    into_ = &into;
  }

  // What follows is for the row that ends with that entry's key.
  template <class E>
  void at(const E& entry) {
    key_.resize(key_bytes_);
    append_key(key_, entry);
  }

  void save(const void* value);
  void remove();

 private:
  const StatePart& part_;
  std::string key_;
  std::size_t key_bytes_ = 0;
  KeyedState* state_ = nullptr;
  RowBuffer* into_ = nullptr;
};

template <class K, class Cell>
struct KeyedCell {
  K key;
  Cell cell;
};
template <class K, class Cell>
struct HashOfKeyedCell {
  std::uint64_t operator()(const KeyedCell<K, Cell>& row) const { return hash_of_key(row.key); }
};

template <class K, class Cell>
class KeyTable final : public AnyKeyTable,
                       private HotTable<KeyedCell<K, Cell>, HashOfKeyedCell<K, Cell>> {
  using Row = KeyedCell<K, Cell>;
  using Table = HotTable<Row, HashOfKeyedCell<K, Cell>>;

 public:
  using Place = RowTable::Place;
  using AnyKeyTable::erase;
  using AnyKeyTable::find;

  KeyTable(std::string name, const CurrentKeys& current, std::int64_t time_to_live_milliseconds = 0)
      : AnyKeyTable({.name = std::move(name),
                     .kind = Cell::kKind,
                     .key = &type_of<K>(),
                     .entry = Cell::entry_type(),
                     .value = &Cell::value_type(),
                     .time_to_live_milliseconds = time_to_live_milliseconds},
                    current, offset_of_cell()) {
    set_table(*this);
  }

  // The key of that hash for whose cell matches(cell) holds; of the rows in memory.
  template <class Matches>
  const K* find_key(std::uint64_t hash, const Matches& matches) const {
    const Place place = Table::find(
        hash, [&](const Row& row) { return hash_of_key(row.key) == hash && matches(row.cell); });
    return place ? &this->at(place).key : nullptr;
  }

  // Takes all rows of the database into memory, and calls use(key, cell) for all there are.
  template <class Use>
  Status load_everything(const Use& use);

 private:
  static std::size_t offset_of_cell() {
    alignas(Row) char bytes[sizeof(Row)];
    const Row* const row = reinterpret_cast<Row*>(bytes);
    return static_cast<std::size_t>(reinterpret_cast<const char*>(&row->cell) - bytes);
  }

  const K& key_at(std::size_t index) const { return *static_cast<const K*>(current().keys[index]); }
  static auto same_as(const K& key) {
    return [&key](const Row& row) { return key_equal(row.key, key); };
  }
  RowsOf rows_of(std::uint64_t hash, const K& key, RowBuffer& into) {
    RowsOf rows(*this, hash);
    append_key(rows.key(), key);
    rows.key_ends(state(), into);
    return rows;
  }
  std::string row_key_of(std::uint64_t hash, const K& key) const {
    std::string bytes;
    KeyedState::begin_key(bytes, hash, id());
    append_key(bytes, key);
    return bytes;
  }

  void look_up_group() override {
    const std::span<const std::uint64_t> hashes = current().hashes;
    state().count_lookups(hashes.size() - current().index);
    for (std::size_t i = current().index; i < hashes.size(); ++i) this->prefetch_tag(hashes[i]);
    for (std::size_t i = current().index; i < hashes.size(); ++i) {
      near_[i] = this->prefetch_row(hashes[i]);
    }
    for (std::size_t i = current().index; i < hashes.size(); ++i) {
      const Place place = Table::find(near_[i], hashes[i], same_as(key_at(i)));
      if (place) this->note_use(place);
      know(i, place);
    }
    if (!complete_ && state().may_load()) load_missing();
  }

  Place look_up() override {
    return Table::find(current().hash(), same_as(key_at(current().index)));
  }

  void* add() override {
    const K& key = key_at(current().index);
    const auto [place, is_new] = this->emplace(current().hash(), same_as(key), [&] {
      return Row{key, Cell()};
    });
    know_only(place);
    return cell_at(place);
  }

  void forget(Place place) override {
    drop(place);
    know_only({});
  }
  void drop(Place place) {
    this->touch(place);  // what is frozen is saved first
    Row& row = this->at(place);
    RowsOf rows = rows_of(hash_of_key(row.key), row.key, state().changes());
    row.cell.remove(rows, this->is_stored(place));
    Table::erase(place);
  }

  // Looks for what has expired in a few rows more.
  void sweep(Timestamp limit) override {
    int left = kSweptRows;
    const bool end = Table::visit(swept_, [&](Place place) {
      if (left-- == 0) return false;
      if (!this->at(place).cell.has_expired(limit)) return true;
      this->touch(place);
      if (this->at(place).cell.expire(limit)) drop(place);
      return true;
    });
    if (end) swept_ = {};
  }

  void save_row(void* at, bool stored) override { save(at, stored, state().images()); }
  void evict_row(void* at) override { save(at, true, state().changes()); }
  void save(void* at, bool stored, RowBuffer& into) {
    Row& row = *static_cast<Row*>(at);
    RowsOf rows = rows_of(hash_of_key(row.key), row.key, into);
    row.cell.save(rows, stored);
  }

  void load_missing();
  void load_one_row(const std::vector<std::size_t>& missing);
  void load_many_rows(std::size_t index);
  Status load_row(const K& key, std::uint64_t hash, std::string_view entry, std::string_view value);

  static constexpr int kSweptRows = 16;

  bool complete_ = false;  // all rows are in memory
  typename Table::Position swept_;
  std::array<Place, kMostKeys> near_;
};

template <class K, class Cell>
void KeyTable<K, Cell>::load_missing() {
  std::vector<std::size_t> missing;
  for (std::size_t i = current().index; i < current().hashes.size(); ++i) {
    const std::uint64_t hash = current().hashes[i];
    if (Table::find(near_[i], hash, same_as(key_at(i)))) continue;
    if (this->evicted().may_have(hash)) missing.push_back(i);
  }
  if (missing.empty()) return;
  const std::size_t before = this->size();
  if constexpr (Cell::kOneRow) {
    load_one_row(missing);
  } else {
    for (const std::size_t i : missing) {
      if (!Table::find(current().hashes[i], same_as(key_at(i)))) load_many_rows(i);
    }
  }
  const std::size_t loaded = this->size() - before;
  if (loaded < missing.size()) this->evicted().count_in_vain(missing.size() - loaded);
  // Places may have moved.
  for (std::size_t i = current().index; i < current().hashes.size(); ++i) {
    know(i, Table::find(current().hashes[i], same_as(key_at(i))));
  }
}

template <class K, class Cell>
void KeyTable<K, Cell>::load_one_row(const std::vector<std::size_t>& missing) {
  std::vector<std::string> keys;
  for (const std::size_t i : missing) {
    keys.push_back(row_key_of(current().hashes[i], key_at(i)));
  }
  Status row_loaded;
  const Status loaded = state().load(keys, [&](std::size_t number, std::string_view value) {
    const std::size_t i = missing[number];
    Status status = load_row(key_at(i), current().hashes[i], {}, value);
    if (row_loaded) row_loaded = std::move(status);
  });
  if (!loaded) fail_call(loaded.error());
  if (!row_loaded) fail_call(row_loaded.error());
}

template <class K, class Cell>
void KeyTable<K, Cell>::load_many_rows(std::size_t index) {
  const K& key = key_at(index);
  const std::uint64_t hash = current().hashes[index];
  const std::string prefix = row_key_of(hash, key);
  const Status loaded =
      state().load_group(prefix, [&](std::string_view row_key, std::string_view value) {
        return load_row(key, hash, row_key.substr(prefix.size()), value);
      });
  if (!loaded) fail_call(loaded.error());
}

template <class K, class Cell>
Status KeyTable<K, Cell>::load_row(const K& key, std::uint64_t hash, std::string_view entry,
                                   std::string_view value) {
  const auto [place, is_new] = this->emplace(hash, same_as(key), [&] { return Row{key, Cell()}; });
  this->mark_stored(place);                 // it is only read, though emplace() touches it
  if (Cell::kOneRow && !is_new) return {};  // the key came twice
  const Status loaded = this->at(place).cell.load(*this, entry, value);
  if (!loaded) return loaded.error().with_context(concat("state ", in_quotes(declaration().name)));
  return {};
}

template <class K, class Cell>
template <class Use>
Status KeyTable<K, Cell>::load_everything(const Use& use) {
  complete_ = true;
  if (state().may_load()) {
    const std::string prefix = KeyedState::prefix_of(id());
    const auto load = [&](std::string_view row_key, std::string_view value) -> Status {
      row_key.remove_prefix(prefix.size() + KeyedState::kHashBytes);
      K key{};
      if (!read_key(row_key, key)) return corruption("the key of a row cannot be read");
      return load_row(key, hash_of_key(key), row_key, value);
    };
    Status loaded = state().load_all(prefix, load);
    if (!loaded) return loaded;
  }
  typename Table::Position position;
  Table::visit(position, [&](Place place) {
    use(std::as_const(this->at(place).key), std::as_const(this->at(place).cell));
    return true;
  });
  return {};
}

template <class K, class Cell>
std::size_t heap_of(const KeyedCell<K, Cell>& row) {
  return heap_footprint<HeapBytes::kReserved>(row.key) + row.cell.heap();
}

// What a row points to is fetched with it.
template <class K, class Cell>
inline constexpr bool kHasContents<KeyedCell<K, Cell>> = kHasHeap<K>;
template <class K, class Cell>
void prefetch_contents_of(const KeyedCell<K, Cell>& row) {
  prefetch_heap(row.key);
}

}  // namespace millrace::detail
