// The live state of one operator instance: an open-addressing hash table of decoded entries with
// linear probing. Its user sees batches and prefetches: what a group of keys will touch is fetched
// first and touched some time later, which hides the memory's latency.
//
// What bounds a large table is how many lines of memory a key costs, and how much of it fits in the
// cache. A byte for each slot, its tag, holds a part of the hash, apart from the entries: other
// keys' entries are hardly ever read, and a key costs the lines of its own entry alone. Tags are
// compared sixteen at once, so the table may be dense; and since a slot is the hash scaled to the
// capacity, growing moves entries in their order.
//
// One thread. An Entry& holds until the next make_room(), or emplace() that makes room itself.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "millrace/core/check.h"
#include "millrace/core/records/footprint.h"
#include "millrace/state/table_memory.h"
#include "millrace/state/tag_window.h"

namespace millrace::detail {

// HashOf is a function object that gives the hash of an entry's key.
template <class Entry, class HashOf>
class HotTable {
  static_assert(alignof(Entry) <= 16,
                "Millrace: keys and state with an alignment above 16 bytes are not supported");

 public:
  explicit HotTable(HashOf hash_of = {}) : hash_of_(std::move(hash_of)) {}
  HotTable(const HotTable&) = delete;
  HotTable& operator=(const HotTable&) = delete;
  ~HotTable() { destroy(); }

  std::size_t size() const { return size_; }

  // Before emplace(): lets `count` new entries come without moving any. Slots hold until the next
  // make_room().
  void make_room(std::size_t count) {
    while (size_ + count > limit_) grow();
  }

  // Begin to fetch what emplace() will touch, in this order and some time apart: the slot's byte,
  // the entry, and what the entry's strings and vectors point to. By the bytes alone
  // prefetch_entry() finds the slot that is most likely the entry's, for the other two calls. There
  // must be room.
  void prefetch_tag(std::uint64_t hash) const { __builtin_prefetch(tags_ + home_of(hash)); }
  std::size_t prefetch_entry(std::uint64_t hash) const {
    const std::size_t slot = next_candidate(home_of(hash), tag_of(hash));
    const char* entry = reinterpret_cast<const char*>(entries_ + slot);
    __builtin_prefetch(entry, 1);
    if constexpr (kMayStraddle) __builtin_prefetch(entry + sizeof(Entry) - 1, 1);
    return slot;
  }
  void prefetch_contents(std::size_t slot) const {
    if constexpr (kHasHeap<Entry>) {
      if (tags_[slot] != kEmpty) prefetch_heap(entries_[slot]);
    }
  }

  // The entry of that hash for which matches(entry) holds.
  template <class Matches>
  Entry* find(std::uint64_t hash, const Matches& matches) const {
    if (size_ == 0) return nullptr;
    const std::size_t slot = probe(home_of(hash), tag_of(hash), matches);
    return tags_[slot] == kEmpty ? nullptr : entries_ + slot;
  }

  // The same; makes the entry by make() if there is none, for which there must be room. `slot` is
  // from prefetch_entry(). The second of the pair says whether the entry is new.
  template <class Matches, class Make>
  std::pair<Entry&, bool> emplace(std::size_t slot, std::uint64_t hash, const Matches& matches,
                                  const Make& make) {
    slot = probe(slot, tag_of(hash), matches);
    if (tags_[slot] != kEmpty) return {entries_[slot], false};
    check(size_ < limit_, "a state table was given an entry without room for it");
    new (entries_ + slot) Entry(make());
    set_tag(slot, tag_of(hash));
    ++size_;
    return {entries_[slot], true};
  }
  template <class Matches, class Make>
  std::pair<Entry&, bool> emplace(std::uint64_t hash, const Matches& matches, const Make& make) {
    make_room(1);
    return emplace(home_of(hash), hash, matches, make);
  }

  // Calls visit(Entry&) for each entry from `position` on, until it returns false; `position` is
  // then the entry to go on with. Returns whether the end was reached.
  template <class Visit>
  bool visit(std::size_t& position, Visit&& visit) const {
    for (; position < capacity_; ++position) {
      if (tags_[position] != kEmpty && !visit(entries_[position])) return false;
    }
    return true;
  }

 private:
  static constexpr std::uint8_t kEmpty = 0;
  static constexpr bool kMayStraddle = 64 % sizeof(Entry) != 0;
  static constexpr std::size_t kWindow = TagWindow::kSize;

  // The slot comes from the hash's lower half, for the upper one's first bits are the key group.
  // The tag takes bits that decide neither.
  std::size_t home_of(std::uint64_t hash) const {
    return static_cast<std::size_t>(((hash & 0xffffffff) * capacity_) >> 32);
  }
  static std::uint8_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint8_t>(hash >> 40) | 0x80;
  }

  // A window of tags that begins near the end goes on with copies of the first tags.
  void set_tag(std::size_t slot, std::uint8_t tag) {
    tags_[slot] = tag;
    if (slot < kWindow) tags_[capacity_ + slot] = tag;
  }

  std::size_t wrapped(std::size_t slot) const { return slot < capacity_ ? slot : slot - capacity_; }

  // From `slot` on, the first with that tag, or the first empty one.
  std::size_t next_candidate(std::size_t slot, std::uint8_t tag) const {
    for (;; slot = wrapped(slot + kWindow)) {
      const TagWindow window(tags_ + slot);
      const std::uint32_t found = window.equal(tag) | window.equal(kEmpty);
      if (found != 0) return wrapped(slot + static_cast<std::size_t>(std::countr_zero(found)));
    }
  }

  // The slot of the key's entry, or the empty one where it belongs. Begins at a candidate.
  template <class Matches>
  std::size_t probe(std::size_t slot, std::uint8_t tag, const Matches& matches) const {
    for (;; slot = wrapped(slot + 1)) {
      if (tags_[slot] != tag) slot = next_candidate(slot, tag);
      if (tags_[slot] == kEmpty || matches(std::as_const(entries_[slot]))) return slot;
    }
  }

  void grow() {
    const std::size_t old_capacity = capacity_;
    std::uint8_t* old_tags = tags_;
    Entry* old_entries = entries_;
    capacity_ = old_capacity == 0 ? kWindow : old_capacity + old_capacity / 2;
    check(capacity_ >> 32 == 0, "a state table has more entries than it can address");
    limit_ = capacity_ / 8 * 7;
    tags_ = static_cast<std::uint8_t*>(allocate_zeroed(capacity_ + kWindow));
    entries_ = static_cast<Entry*>(allocate_zeroed(capacity_ * sizeof(Entry)));
    for (std::size_t i = 0; i < old_capacity; ++i) {
      if (old_tags[i] != kEmpty) take(old_entries[i]);
    }
    if (old_capacity == 0) return;
    release(old_tags, old_capacity + kWindow);
    release(old_entries, old_capacity * sizeof(Entry));
  }

  void take(Entry& from) {
    const std::uint64_t hash = hash_of_(std::as_const(from));
    const std::size_t slot = next_candidate(home_of(hash), kEmpty);
    new (entries_ + slot) Entry(std::move(from));
    set_tag(slot, tag_of(hash));
    from.~Entry();
  }

  void destroy() {
    if constexpr (!std::is_trivially_destructible_v<Entry>) {
      for (std::size_t i = 0; i < capacity_; ++i) {
        if (tags_[i] != kEmpty) entries_[i].~Entry();
      }
    }
    release(tags_, capacity_ + kWindow);
    release(entries_, capacity_ * sizeof(Entry));
  }

  const HashOf hash_of_;
  std::uint8_t* tags_ = nullptr;
  Entry* entries_ = nullptr;  // constructed where the tag is not empty
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t limit_ = 0;  // entries from which the table grows
};

}  // namespace millrace::detail
