// A map for each key, whose entries are written one by one. Declared as a member of a keyed
// function:
//
//   MapState<std::string, std::int64_t> visits_{*this, "visits"};
//
//   visits_.edit(page) += 1;
//   if (const auto* count = visits_.find(page)) ...
//   for (const auto& [page, count] : visits_) ...       // in the order of the map's keys
//   visits_.erase(page);
//
// A reference holds until process() returns, or the entry is erased. Entries may expire, each by
// itself (expire_after()).
#pragma once

#include <string>
#include <utility>

#include "millrace/state/cells.h"
#include "millrace/state/state_owner.h"

namespace millrace {

template <class E, class V>
class MapState {
  static_assert(is_key<E>,
                "Millrace: the keys of a MapState are a bool, integer, enum, string or time, or a "
                "struct, tuple, optional, variant, vector or array of these");
  using Cell = detail::MapCell<E, detail::Expiring<V>>;
  using Inner = typename std::map<E, typename Cell::Entry>::const_iterator;

 public:
  using key_type = E;
  using mapped_type = V;

  template <class K>
  MapState(detail::StateOwner<K>& owner, std::string name, TimeToLive time_to_live = {})
      : table_(owner.template add_table<Cell>(std::move(name), time_to_live)),
        expiry_(owner.keyed_state(), time_to_live) {}
  MapState(const MapState&) = delete;
  MapState& operator=(const MapState&) = delete;

  // Null if there is no such entry.
  const V* find(const E& key) const {
    const Cell* const cell = this->cell();
    if (cell == nullptr) return nullptr;
    const auto found = cell->entries.find(key);
    if (found == cell->entries.end() || is_expired(found->second)) return nullptr;
    note_read(key);
    return &found->second.value.value;
  }
  bool contains(const E& key) const { return find(key) != nullptr; }
  template <class U>
  V value_or(const E& key, U&& other) const {
    const V* const found = find(key);
    return found ? *found : static_cast<V>(std::forward<U>(other));
  }

  void put(const E& key, V value) { place(key) = std::move(value); }
  // To be changed in place; a default value first, if there is none.
  V& edit(const E& key) {
    if (expiry_.limited() && find(key) == nullptr) place(key) = V();
    return place(key);
  }
  void erase(const E& key) {
    if (table_.find() == nullptr) return;
    auto& cell = *static_cast<Cell*>(table_.edit());
    cell.erase(key);
    if (cell.entries.empty()) table_.erase();
  }
  void clear() { table_.erase(); }

  bool empty() const { return begin() == end(); }
  std::size_t size() const {
    std::size_t size = 0;
    for (auto entry = begin(); entry != end(); ++entry) ++size;
    return size;
  }

  // Of pairs of references to a key and its value, those that have not expired.
  class iterator {
   public:
    using value_type = std::pair<const E&, const V&>;

    iterator(const MapState& map, Inner at, Inner end) : map_(&map), at_(at), end_(end) { skip(); }

    value_type operator*() const {
      map_->note_read(at_->first);
      return {at_->first, at_->second.value.value};
    }
    iterator& operator++() {
      ++at_;
      skip();
      return *this;
    }
    bool operator==(const iterator& other) const { return at_ == other.at_; }

   private:
    void skip() {
      while (at_ != end_ && map_->is_expired(at_->second)) ++at_;
    }

    const MapState* map_;
    Inner at_;
    Inner end_;
  };
  iterator begin() const {
    const Cell* const cell = this->cell();
    return cell ? iterator(*this, cell->entries.begin(), cell->entries.end()) : nothing();
  }
  iterator end() const {
    const Cell* const cell = this->cell();
    return cell ? iterator(*this, cell->entries.end(), cell->entries.end()) : nothing();
  }

 private:
  const Cell* cell() const { return static_cast<const Cell*>(table_.find()); }
  iterator nothing() const { return iterator(*this, Inner(), Inner()); }

  bool is_expired(const typename Cell::Entry& entry) const {
    return expiry_.limited() && entry.value.touched <= expiry_.limit();
  }
  void note_read(const E& key) const {
    if (!expiry_.limited() || !expiry_.on_read()) return;
    static_cast<Cell*>(table_.edit())->edit(key).touched = expiry_.now();
  }
  V& place(const E& key) {
    detail::Expiring<V>& passing = static_cast<Cell*>(table_.edit())->edit(key);
    if (expiry_.limited()) passing.touched = expiry_.now();
    return passing.value;
  }

  detail::AnyKeyTable& table_;
  detail::Expiry expiry_;
};

}  // namespace millrace
