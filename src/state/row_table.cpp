#include "millrace/state/row_table.h"

#include <algorithm>

#include "millrace/core/mutant.h"
#include "millrace/state/table_memory.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kFullGrown = 4 * kHugePage;
constexpr std::size_t kLeastFullGrown = 64 << 10;
constexpr std::size_t kLeastSplit = 256;  // slots: an empty shard is to be much smaller
constexpr std::uint32_t kMostBits = 20;   // of the directory
constexpr int kSampledSlots = 16;         // at once
constexpr double kSampleWeight = 1.0 / 256;

}  // namespace

RowTable::RowTable(std::size_t row_bytes) : row_bytes_(row_bytes), full_grown_(kFullGrown) {
  shards_.push_back(std::make_unique<Shard>());
  directory_.push_back(shards_.front().get());
  allocate(*shards_.front(), kWindow);
  set_range({});
}

RowTable::~RowTable() {
  for (const auto& shard : shards_) release_memory(*shard);
}

void RowTable::set_range(HashRange range) {
  check(size_ == 0, "the range of a table is set before it has rows");
  range_ = range;
  scale_ = ~std::uint64_t{0} / (range.end - range.first);
  evicted_.set_range(range.first, range.end);
}

void RowTable::clear() {
  for (const auto& shard : shards_) {
    for (std::uint32_t slot = 0; slot < shard->capacity; ++slot) {
      if (is_row(shard->tags[slot])) end_row(row_at({shard.get(), slot}));
    }
  }
}

void RowTable::allocate(Shard& shard, std::size_t capacity) {
  check(capacity >= kWindow, "a shard of a state table is smaller than a window of tags");
  check(capacity >> 32 == 0, "a shard of a state table has more rows than it can address");
  shard.capacity = static_cast<std::uint32_t>(capacity);
  shard.limit = static_cast<std::uint32_t>(capacity / 8 * 7);
  shard.tags = static_cast<std::uint8_t*>(allocate_zeroed(capacity + kWindow));
  shard.rows = static_cast<char*>(allocate_zeroed(capacity * row_bytes_));
  shard.pages = std::make_unique<Page[]>((capacity + 63) / 64);
  bytes_ += capacity * (row_bytes_ + 1) + capacity / 64 * sizeof(Page);
}

void RowTable::release_memory(Shard& shard) {
  release(shard.tags, shard.capacity + kWindow);
  release(shard.rows, shard.capacity * row_bytes_);
  bytes_ -= shard.capacity * (row_bytes_ + 1) + shard.capacity / 64 * sizeof(Page);
}

// A window of tags that begins near the end goes on with copies of the first tags.
void RowTable::set_tag(Shard& shard, std::size_t slot, std::uint8_t tag) {
  shard.tags[slot] = tag;
  if (slot < kWindow) shard.tags[shard.capacity + slot] = tag;
}

void RowTable::occupy(Place place, std::uint64_t hash) {
  Shard& shard = *place.shard;
  set_tag(shard, place.slot, tag_of(hash));
  Page& page = shard.pages[place.slot / 64];
  page.stored &= ~(std::uint64_t{1} << place.slot % 64);
  page.used &= ~(std::uint64_t{1} << place.slot % 64);
  ++shard.size;
  ++size_;
  touch(place);
}

// The slot stays in the way of rows behind it, unless there are none.
void RowTable::erase(Place place) {
  Shard& shard = *place.shard;
  touch(place);  // what was frozen is saved
  end_row(row_at(place));
  shard.pages[place.slot / 64].dirty &= ~(std::uint64_t{1} << place.slot % 64);
  --shard.size;
  --size_;
  if (shard.tags[wrapped(shard, place.slot + 1)] != kEmpty) {
    set_tag(shard, place.slot, kErased);
    ++shard.erased;
    return;
  }
  set_tag(shard, place.slot, kEmpty);
  const auto before = [&](std::uint32_t slot) { return slot == 0 ? shard.capacity - 1 : slot - 1; };
  for (std::uint32_t slot = before(place.slot); shard.tags[slot] == kErased; slot = before(slot)) {
    set_tag(shard, slot, kEmpty);
    --shard.erased;
  }
}

void RowTable::freeze() {
  frozen_ = epoch_++;
  next_saved_ = 0;
  next_page_ = 0;
}

bool RowTable::save_some(std::size_t rows) {
  if (frozen_ == 0) return false;
  std::size_t saved = 0;
  while (next_saved_ < directory_.size()) {
    Shard& shard = *directory_[next_saved_];
    const std::size_t pages = (shard.capacity + 63) / 64;
    for (; next_page_ < pages; ++next_page_) {
      if (saved >= rows) return true;
      const Page& page = shard.pages[next_page_];
      if (page.dirty == 0 || page.epoch > frozen_) continue;
      saved += static_cast<std::size_t>(std::popcount(page.dirty));
      save_page(shard, next_page_);
    }
    next_saved_ += span_of(shard);
    next_page_ = 0;
    if (saved > 0) return true;
  }
  frozen_ = 0;
  return false;
}

void RowTable::renew(Shard& shard, Page& page) {
  if (page.epoch <= frozen_ && !is_mutant(Mutant::kChangeBeforeSaving))
    save_page(shard, static_cast<std::size_t>(&page - shard.pages.get()));
  page.epoch = epoch_;
}

void RowTable::save_page(Shard& shard, std::size_t index) {
  Page& page = shard.pages[index];
  const auto place_of = [&](std::uint64_t rows) {
    return Place{&shard, static_cast<std::uint32_t>(index * 64) +
                             static_cast<std::uint32_t>(std::countr_zero(rows))};
  };
  // Rows that lie apart are fetched together.
  for (std::uint64_t left = page.dirty; left != 0; left &= left - 1) {
    __builtin_prefetch(row_at(place_of(left)));
  }
  for (std::uint64_t left = page.dirty; left != 0; left &= left - 1) {
    save_row(row_at(place_of(left)), (page.stored & left & -left) != 0);
  }
  page.stored |= page.dirty;
  page.dirty = 0;
}

// Before rows move: what is frozen is saved where it lies.
void RowTable::save_shard(Shard& shard) {
  for (std::size_t i = 0; i < (shard.capacity + 63) / 64; ++i) {
    if (shard.pages[i].dirty != 0 && shard.pages[i].epoch <= frozen_) save_page(shard, i);
  }
}

void RowTable::enlarge(Shard& shard, std::uint64_t hash) {
  ++moves_;
  save_shard(shard);
  if (shard.erased > shard.size / 2) return rehash(shard, shard.capacity);
  const std::size_t larger = enlarged(shard.capacity);
  const bool grows = larger <= kLeastSplit || larger * row_bytes_ <= full_grown_;
  if (grows || shard.depth == kMostBits) return rehash(shard, larger);
  split(shard, hash);
  make_room(hash);
}

// By little where each slot that stays empty costs a row its place in memory.
std::size_t RowTable::enlarged(std::size_t rows) const {
  return full_ ? rows + std::max(rows / 8, kWindow) : rows + rows / 2;
}

void RowTable::sample_heap() {
  for (int i = 0; i < kSampledSlots; ++i) {
    if (sampled_shard_ >= shards_.size()) sampled_shard_ = 0;
    Shard& shard = *shards_[sampled_shard_];
    if (sampled_slot_ >= shard.capacity) {
      sampled_slot_ = 0;
      ++sampled_shard_;
      continue;
    }
    const std::uint32_t slot = sampled_slot_++;
    if (!is_row(shard.tags[slot])) continue;
    const auto heap = static_cast<double>(heap_of_row(row_at({&shard, slot})));
    heap_per_row_ += (heap - heap_per_row_) * kSampleWeight;
  }
}

void RowTable::allow_eviction(std::size_t shard_bytes) {
  if (stays_) return;
  evicts_ = true;
  full_grown_ = std::clamp(shard_bytes, kLeastFullGrown, kFullGrown);
}

std::size_t RowTable::evict_some() {
  if (!evicts_) return 0;
  full_ = true;
  if (next_evicted_ >= directory_.size()) next_evicted_ = 0;
  Shard& shard = *directory_[next_evicted_];
  next_evicted_ += span_of(shard);
  save_shard(shard);
  const std::uint32_t before = shard.size;
  for (std::uint32_t slot = 0; slot < shard.capacity; ++slot) {
    Page& page = shard.pages[slot / 64];
    const std::uint64_t bit = std::uint64_t{1} << slot % 64;
    if (!is_row(shard.tags[slot])) continue;
    const bool used = (page.used & bit) != 0;
    page.used &= ~bit;
    if (used) continue;
    void* const row = row_at({&shard, slot});
    evicted_.add(hash_of_row(row));
    if ((page.dirty & bit) != 0) evict_row(row);
    end_row(row);
    set_tag(shard, slot, kErased);
    --shard.size;
    --size_;
  }
  const std::size_t filled = shard.size + shard.size / 8;  // a shard that they nearly fill
  const std::size_t capacity = std::min<std::size_t>(shard.capacity, enlarged(filled));
  if (shard.size == before && capacity == shard.capacity) return 0;
  ++moves_;
  rehash(shard, capacity);
  return before - shard.size;
}

void RowTable::rehash(Shard& shard, std::size_t capacity) {
  Shard old = std::move(shard);
  shard = {};
  shard.depth = old.depth;
  allocate(shard, capacity);
  move_rows(old, &shard);
  release_memory(old);
}

void RowTable::split(Shard& shard, std::uint64_t hash) {
  if (shard.depth == bits_) {
    std::vector<Shard*> larger;
    larger.reserve(directory_.size() * 2);
    for (Shard* const entry : directory_) larger.insert(larger.end(), {entry, entry});
    directory_ = std::move(larger);
    ++bits_;
    next_saved_ *= 2;
    next_evicted_ *= 2;
  }
  shards_.push_back(std::make_unique<Shard>());
  Shard& high = *shards_.back();
  Shard old = std::move(shard);
  shard = {};
  shard.depth = high.depth = old.depth + 1;
  allocate(shard, old.capacity / 8 * 5);
  allocate(high, old.capacity / 8 * 5);
  const std::size_t span = std::size_t{1} << (bits_ - old.depth);
  const std::size_t first = directory_index(hash) / span * span;
  std::fill_n(directory_.begin() + static_cast<std::ptrdiff_t>(first + span / 2), span / 2, &high);
  move_rows(old, nullptr);
  release_memory(old);
}

// To a shard, or to where they belong now.
void RowTable::move_rows(Shard& from, Shard* to) {
  for (std::uint32_t slot = 0; slot < from.capacity; ++slot) {
    if (!is_row(from.tags[slot])) continue;
    const std::uint64_t hash = hash_of_row(from.rows + slot * row_bytes_);
    take(to != nullptr ? *to : shard_of(hash), hash, from, slot);
  }
}

void RowTable::take(Shard& shard, std::uint64_t hash, const Shard& from, std::uint32_t slot) {
  if (shard.size >= shard.limit) {  // nearly all rows of a split went one way
    Shard fuller = std::move(shard);
    shard = {};
    shard.depth = fuller.depth;
    allocate(shard, fuller.capacity + fuller.capacity / 2);
    for (std::uint32_t i = 0; i < fuller.capacity; ++i) {
      if (!is_row(fuller.tags[i])) continue;
      take(shard, hash_of_row(fuller.rows + i * row_bytes_), fuller, i);
    }
    release_memory(fuller);
  }
  const std::uint32_t to = next_candidate(shard, home_of(shard, hash), kEmpty);
  move_row(shard.rows + to * row_bytes_, from.rows + slot * row_bytes_);
  set_tag(shard, to, tag_of(hash));
  ++shard.size;
  Page& page = shard.pages[to / 64];
  const Page& old = from.pages[slot / 64];
  page.epoch = epoch_;
  page.dirty |= (old.dirty >> slot % 64 & 1) << to % 64;
  page.stored |= (old.stored >> slot % 64 & 1) << to % 64;
  page.used |= (old.used >> slot % 64 & 1) << to % 64;
}

}  // namespace millrace::detail
