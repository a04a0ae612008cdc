// The typed skin of RowTable: rows of one type, found by a hash and a comparison that the compiler
// sees. Its user sees batches and prefetches: what a group of keys will touch is fetched first and
// touched some time later, which hides the memory's latency.
//
// One thread. A Row& holds until moves() changes.
#pragma once

#include <new>
#include <utility>

#include "millrace/core/records/footprint.h"
#include "millrace/state/row_table.h"

namespace millrace::detail {

// Whether rows of a type point to more memory, which is then fetched ahead of use, and how. Rows
// that are no records have overloads of their own.
template <class Row>
inline constexpr bool kHasContents = kHasHeap<Row>;
template <class Row>
void prefetch_contents_of(const Row& row) {
  prefetch_heap(row);
}

template <class Row>
std::size_t heap_of(const Row& row) {
  return heap_footprint<HeapBytes::kReserved>(row);
}

// HashOf is a function object that gives the hash of a row's key.
template <class Row, class HashOf>
class HotTable : public RowTable {
  static_assert(alignof(Row) <= 16,
                "Millrace: keys and state with an alignment above 16 bytes are not supported");

 public:
  explicit HotTable(HashOf hash_of = {}) : RowTable(sizeof(Row)), hash_of_(std::move(hash_of)) {}
  ~HotTable() override { clear(); }

  Row& at(Place place) const { return *static_cast<Row*>(row_at(place)); }

  // Begin to fetch what find() and emplace() will touch, in this order and some time apart: the
  // slot's byte, the row with its page, and what the row's strings and vectors point to. By the
  // bytes alone prefetch_row() finds the place that is most likely the row's, for the other two
  // calls.
  void prefetch_tag(std::uint64_t hash) const {
    const Shard& shard = shard_of(hash);
    __builtin_prefetch(shard.tags + home_of(shard, hash));
  }
  Place prefetch_row(std::uint64_t hash) const {
    Shard& shard = shard_of(hash);
    const std::uint32_t slot = next_candidate(shard, home_of(shard, hash), tag_of(hash));
    const char* row = shard.rows + slot * sizeof(Row);
    __builtin_prefetch(row, 1);
    __builtin_prefetch(&shard.pages[slot / 64], 1);
    if constexpr (kMayStraddle) __builtin_prefetch(row + sizeof(Row) - 1, 1);
    return {&shard, slot};
  }
  void prefetch_contents(Place place) const {
    if constexpr (kHasContents<Row>) {
      if (is_row(place.shard->tags[place.slot])) prefetch_contents_of(at(place));
    }
  }

  // The row of that hash for which matches(row) holds.
  template <class Matches>
  Place find(std::uint64_t hash, const Matches& matches) const {
    Shard& shard = shard_of(hash);
    return known(shard, probe(shard, home_of(shard, hash), tag_of(hash), matches));
  }
  // The same; `near` is from prefetch_row(), since when moves() has not changed.
  template <class Matches>
  Place find(Place near, std::uint64_t hash, const Matches& matches) const {
    return known(*near.shard, probe(*near.shard, near.slot, tag_of(hash), matches));
  }

  // The same; makes the row by make() if there is none. The second of the pair says whether it is
  // new. The row is touched.
  template <class Matches, class Make>
  std::pair<Place, bool> emplace(Place near, std::uint64_t hash, const Matches& matches,
                                 const Make& make) {
    const std::uint32_t slot = probe(*near.shard, near.slot, tag_of(hash), matches);
    const Place place{near.shard, slot};
    if (is_row(near.shard->tags[slot])) {
      touch(place);
      return {place, false};
    }
    return {add(place, hash, make), true};
  }
  template <class Matches, class Make>
  std::pair<Place, bool> emplace(std::uint64_t hash, const Matches& matches, const Make& make) {
    Shard& shard = shard_of(hash);
    return emplace({&shard, home_of(shard, hash)}, hash, matches, make);
  }

  // Calls visit(place) for each row from `position` on, until it returns false; `position` is then
  // the row to go on with. Returns whether the end was reached. Rows may be erased on the way.
  struct Position {
    std::size_t shard = 0;
    std::uint32_t slot = 0;
  };
  template <class Visit>
  bool visit(Position& position, Visit&& visit) const {
    for (; position.shard < shards().size(); ++position.shard, position.slot = 0) {
      Shard& shard = *shards()[position.shard];
      for (; position.slot < shard.capacity; ++position.slot) {
        if (is_row(shard.tags[position.slot]) && !visit(Place{&shard, position.slot})) return false;
      }
    }
    return true;
  }

 protected:
  const HashOf& hash_of() const { return hash_of_; }

 private:
  static constexpr bool kMayStraddle = 64 % sizeof(Row) != 0;

  static Place known(Shard& shard, std::uint32_t slot) {
    return is_row(shard.tags[slot]) ? Place{&shard, slot} : Place{};
  }

  // The slot of the key's row, or the empty one where it belongs. `slot` is not behind it.
  template <class Matches>
  std::uint32_t probe(const Shard& shard, std::uint32_t slot, std::uint8_t tag,
                      const Matches& matches) const {
    for (;; slot = wrapped(shard, slot + std::size_t{1})) {
      if (shard.tags[slot] != tag) slot = next_candidate(shard, slot, tag);
      if (shard.tags[slot] == kEmpty) return slot;
      if (matches(std::as_const(*(reinterpret_cast<Row*>(shard.rows) + slot)))) return slot;
    }
  }

  template <class Make>
  Place add(Place place, std::uint64_t hash, const Make& make) {
    const std::uint64_t before = moves();
    make_room(hash);
    if (moves() != before) [[unlikely]] {
      Shard& shard = shard_of(hash);
      place = {&shard, next_candidate(shard, home_of(shard, hash), kEmpty)};
    }
    new (row_at(place)) Row(make());
    occupy(place, hash);
    return place;
  }

  std::uint64_t hash_of_row(const void* row) const final {
    return hash_of_(*static_cast<const Row*>(row));
  }
  void move_row(void* to, void* from) final {
    Row& row = *static_cast<Row*>(from);
    new (to) Row(std::move(row));
    row.~Row();
  }
  void end_row(void* row) final { static_cast<Row*>(row)->~Row(); }
  std::size_t heap_of_row(const void* row) const final {
    return heap_of(*static_cast<const Row*>(row));
  }

  const HashOf hash_of_;
};

}  // namespace millrace::detail
