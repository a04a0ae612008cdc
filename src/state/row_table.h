// The live state of one operator instance, without the type of its rows: an open-addressing hash
// table in shards, which knows for every row whether the database has it as it is. HotTable is the
// typed skin, through which rows are found.
//
// Shards. The first 32 bits of a hash, scaled to the range of the subtask's key groups, choose the
// shard, the others the slot. A shard grows until it is full-grown and is then split in two, so
// that no step moves more rows than one shard holds, and shards are narrow ranges of the order in
// which rows lie in the database.
//
// Epochs. A checkpoint freezes what all rows are at that moment, by beginning a new epoch: that
// takes no time. 64 rows share a page; whoever changes a row touches its page first, and the first
// touch in a new epoch saves the changed rows of the page as they were frozen. What is not touched
// is saved piece by piece by save_some(). So every row that was changed since the last checkpoint
// is saved once, as it was at the barrier, and the stream never waits for more than a page.
//
// What bounds a large table is how many lines of memory a key costs, and how much of it fits in the
// cache. A byte for each slot, its tag, holds a part of the hash, apart from the rows: other keys'
// rows are hardly ever read. Tags are compared sixteen at once, so shards may be dense; and since a
// slot is the hash scaled to the capacity, growing moves rows in their order.
//
// Eviction. Where memory is limited, rows that were not used for a while leave the table for the
// database, a shard at a time.
//
// One thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "millrace/core/check.h"
#include "millrace/state/evicted_rows.h"
#include "millrace/state/tag_window.h"

namespace millrace::detail {

// The part of all hashes that a table holds, by their first 32 bits.
struct HashRange {
  std::uint64_t first = 0;
  std::uint64_t end = std::uint64_t{1} << 32;  // not included

  bool operator==(const HashRange&) const = default;
};

class RowTable {
 public:
  // The slots from 64 * i on.
  struct Page {
    std::uint64_t dirty = 0;   // rows that were changed since they were last saved
    std::uint64_t stored = 0;  // rows that were saved, in whatever version
    std::uint64_t used = 0;    // rows that were found here since eviction last looked at them
    std::uint32_t epoch = 0;   // the last one in which a row was changed
  };

  struct Shard {
    std::uint8_t* tags = nullptr;
    char* rows = nullptr;  // constructed where the tag is one of a row
    std::unique_ptr<Page[]> pages;
    std::uint32_t capacity = 0;
    std::uint32_t size = 0;
    std::uint32_t erased = 0;  // slots that held a row, and still lie in other rows' way
    std::uint32_t limit = 0;   // rows and erased slots from which it grows
    std::uint32_t depth = 0;   // how many bits of the position choose it
  };

  // Where a row is. It holds until moves() changes.
  struct Place {
    Shard* shard = nullptr;
    std::uint32_t slot = 0;

    explicit operator bool() const { return shard != nullptr; }
  };

  RowTable(const RowTable&) = delete;
  RowTable& operator=(const RowTable&) = delete;
  virtual ~RowTable();

  // Before the first row.
  void set_range(HashRange range);

  std::size_t size() const { return size_; }
  // Of the table, and about what its rows hold outside of it: as the rows that were sampled say.
  std::size_t bytes() const {
    return bytes_ + bytes_beside_ + evicted_.bytes() +
           static_cast<std::size_t>(heap_per_row_ * static_cast<double>(size_));
  }
  void sample_heap();
  // What belongs to the rows and lies elsewhere.
  void set_bytes_beside(std::size_t bytes) { bytes_beside_ = bytes; }
  std::uint64_t moves() const { return moves_; }

  // To be called before a row is changed.
  void touch(Place place) {
    Page& page = place.shard->pages[place.slot / 64];
    if (page.epoch != epoch_) [[unlikely]]
      renew(*place.shard, page);
    page.dirty |= std::uint64_t{1} << place.slot % 64;
  }
  // To be called for a row that was asked for and was here: that it was loaded, or made, says
  // nothing yet of whether it will be asked for again.
  void note_use(Place place) {
    if (evicts_) place.shard->pages[place.slot / 64].used |= std::uint64_t{1} << place.slot % 64;
  }

  // Whether the database has the row, in whatever version. Touch it first.
  bool is_stored(Place place) const {
    return (place.shard->pages[place.slot / 64].stored >> place.slot % 64 & 1) != 0;
  }
  // The row is as the database has it.
  void mark_stored(Place place) {
    Page& page = place.shard->pages[place.slot / 64];
    page.dirty &= ~(std::uint64_t{1} << place.slot % 64);
    page.stored |= std::uint64_t{1} << place.slot % 64;
  }

  // The row's end; the place is free.
  void erase(Place place);

  // The state as it is now is frozen, and is saved from now on.
  void freeze();
  // Saves about that many of the frozen rows; false if none are left.
  bool save_some(std::size_t rows);
  // What is saved now begins a shard: all rows of the shards before it come before all of this one.
  bool between_shards() const { return next_page_ == 0; }
  // What is not saved yet will be with the next freeze().
  void abandon() { frozen_ = 0; }

  // All rows stay.
  void forbid_eviction() { stays_ = true; }
  // From now on rows may be evicted; a shard is full-grown at that many bytes of rows.
  void allow_eviction(std::size_t shard_bytes);
  // The filter of rows that are not here may take that many bytes.
  void limit_filter(std::size_t bytes) {
    if (!stays_) evicted_.limit(bytes);
  }
  // Evicts the rows of the next shard that were not used since its last turn; returns how many.
  std::size_t evict_some();
  // What the database may have that is not here.
  EvictedRows& evicted() { return evicted_; }
  const EvictedRows& evicted() const { return evicted_; }

  void* row_at(Place place) const { return place.shard->rows + place.slot * row_bytes_; }

 protected:
  static constexpr std::uint8_t kEmpty = 0;
  static constexpr std::uint8_t kErased = 1;
  static constexpr std::size_t kWindow = TagWindow::kSize;

  explicit RowTable(std::size_t row_bytes);

  Shard& shard_of(std::uint64_t hash) const { return *directory_[directory_index(hash)]; }
  static std::uint32_t home_of(const Shard& shard, std::uint64_t hash) {
    return static_cast<std::uint32_t>(((hash & 0xffffffff) * shard.capacity) >> 32);
  }
  // The tag takes bits that decide neither shard nor slot, in all but the largest tables.
  static std::uint8_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint8_t>(hash >> 32) | 0x80;
  }
  static bool is_row(std::uint8_t tag) { return tag >= 0x80; }
  static std::uint32_t wrapped(const Shard& shard, std::size_t slot) {
    return static_cast<std::uint32_t>(slot < shard.capacity ? slot : slot - shard.capacity);
  }

  // From `slot` on, the first with that tag, or the first empty one.
  static std::uint32_t next_candidate(const Shard& shard, std::size_t slot, std::uint8_t tag) {
    for (;; slot = wrapped(shard, slot + kWindow)) {
      const TagWindow window(shard.tags + slot);
      const std::uint32_t found = window.equal(tag) | window.equal(kEmpty);
      if (found != 0) {
        return wrapped(shard, slot + static_cast<std::size_t>(std::countr_zero(found)));
      }
    }
  }

  // Takes the free slot for a new row, which the caller has constructed there.
  void occupy(Place place, std::uint64_t hash);

  // Makes room for one more row in the hash's shard; moves_ grows if rows were moved for it.
  void make_room(std::uint64_t hash) {
    Shard& shard = shard_of(hash);
    if (shard.size + shard.erased >= shard.limit) [[unlikely]]
      enlarge(shard, hash);
  }

  // Ends all rows; the destructor of the typed skin calls it.
  void clear();

  const std::vector<std::unique_ptr<Shard>>& shards() const { return shards_; }

 private:
  virtual std::uint64_t hash_of_row(const void* row) const = 0;
  virtual void move_row(void* to, void* from) = 0;  // ends `from`
  virtual void end_row(void* row) = 0;
  // The row as it is now goes into the checkpoint that is being written.
  virtual void save_row(void* row, bool stored) = 0;
  // The row leaves the table, changed since it was saved last; it ends afterwards.
  virtual void evict_row(void* row) = 0;
  virtual std::size_t heap_of_row(const void* row) const = 0;

  // So many entries of the directory are the shard's.
  std::size_t span_of(const Shard& shard) const { return std::size_t{1} << (bits_ - shard.depth); }
  std::size_t directory_index(std::uint64_t hash) const {
    const std::uint64_t position = (((hash >> 32) - range_.first) * scale_) >> 32;
    return position >> (32 - bits_);
  }

  void renew(Shard& shard, Page& page);
  void save_page(Shard& shard, std::size_t index);
  void save_shard(Shard& shard);
  void set_tag(Shard& shard, std::size_t slot, std::uint8_t tag);
  void allocate(Shard& shard, std::size_t capacity);
  void release_memory(Shard& shard);
  void enlarge(Shard& shard, std::uint64_t hash);
  std::size_t enlarged(std::size_t rows) const;
  void rehash(Shard& shard, std::size_t capacity);
  void split(Shard& shard, std::uint64_t hash);
  void move_rows(Shard& from, Shard* to);
  void take(Shard& shard, std::uint64_t hash, const Shard& from, std::uint32_t slot);

  const std::size_t row_bytes_;
  HashRange range_;
  std::uint64_t scale_;
  std::uint32_t bits_ = 0;  // of the position choose an entry of the directory
  std::vector<Shard*> directory_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::size_t bytes_beside_ = 0;
  double heap_per_row_ = 0;
  std::size_t sampled_shard_ = 0;
  std::uint32_t sampled_slot_ = 0;
  std::uint64_t moves_ = 0;

  bool evicts_ = false;
  bool full_ = false;  // rows had to leave
  bool stays_ = false;
  std::size_t full_grown_;        // bytes of rows beyond which a shard is split
  std::size_t next_evicted_ = 0;  // the directory's entry whose turn it is
  EvictedRows evicted_;

  std::uint32_t epoch_ = 1;
  std::uint32_t frozen_ = 0;    // the epoch that is being saved; 0 if none
  std::size_t next_saved_ = 0;  // the directory's entry whose shard is next, and its page
  std::size_t next_page_ = 0;
};

}  // namespace millrace::detail
