#include "millrace/state/row_buffer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "millrace/core/check.h"
#include "millrace/core/mutant.h"
#include "millrace/core/records/hash.h"

namespace millrace::detail {
namespace {

std::uint64_t prefix_of(std::string_view key) {
  std::uint64_t prefix = 0;
  std::memcpy(&prefix, key.data(), std::min(key.size(), sizeof prefix));
  return std::endian::native == std::endian::little ? __builtin_bswap64(prefix) : prefix;
}

}  // namespace

void RowBuffer::add(std::string_view key, std::string_view value, bool present, Find find) {
  if (is_mutant(Mutant::kForgetRemovals) && !present) return;
  check(key.size() >> 32 == 0 && value.size() >> 32 == 0 && changes_.size() >> 31 == 0,
        "a row of state is larger than 4 GiB");
  changes_.push_back({.prefix = prefix_of(key),
                      .begin = bytes_.size(),
                      .key_bytes = static_cast<std::uint32_t>(key.size()),
                      .value_bytes = static_cast<std::uint32_t>(value.size()),
                      .number = static_cast<std::uint32_t>(changes_.size()),
                      .present = present});
  bytes_.append(key).append(value);
  if (find == Find::kYes) index(changes_.back().number);
}

// Linear probing; a key has one slot, that of its last change.
std::size_t RowBuffer::slot_of(std::string_view key) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash_text(key) & mask;
  while (slots_[slot] != 0 && key_of(changes_[slots_[slot] - 1]) != key) slot = (slot + 1) & mask;
  return slot;
}

void RowBuffer::index(std::uint32_t number) {
  if (indexed_ * 2 >= slots_.size()) {
    const std::vector<std::uint32_t> old = std::exchange(
        slots_, std::vector<std::uint32_t>(std::max<std::size_t>(64, slots_.size() * 2)));
    for (const std::uint32_t entry : old) {
      if (entry != 0) slots_[slot_of(key_of(changes_[entry - 1]))] = entry;
    }
  }
  std::uint32_t& slot = slots_[slot_of(key_of(changes_[number]))];
  if (slot == 0) ++indexed_;
  slot = number + 1;
}

StateRow RowBuffer::row_of(const Change& change) const {
  StateRow row{.key = key_of(change), .value = std::nullopt};
  if (change.present) {
    row.value =
        std::string_view(bytes_).substr(change.begin + change.key_bytes, change.value_bytes);
  }
  return row;
}

std::optional<StateRow> RowBuffer::find(std::string_view key) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint32_t entry = slots_[slot_of(key)];
  if (entry == 0) return std::nullopt;
  return row_of(changes_[entry - 1]);
}

void RowBuffer::find_range(std::string_view first, std::string_view end, Changes& into) const {
  for (const std::uint32_t entry : slots_) {
    if (entry == 0) continue;
    const StateRow row = row_of(changes_[entry - 1]);
    if (row.key < first || (!end.empty() && row.key >= end)) continue;
    into.insert_or_assign(std::string(row.key), row.value);
  }
}

std::vector<StateRow> RowBuffer::sorted() const {
  std::vector<Change> changes = changes_;
  std::sort(changes.begin(), changes.end(), [this](const Change& a, const Change& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const int order = key_of(a).compare(key_of(b));
    return order != 0 ? order < 0 : a.number < b.number;
  });
  std::vector<StateRow> rows;
  rows.reserve(changes.size());
  for (const Change& change : changes) {
    if (!rows.empty() && rows.back().key == key_of(change)) rows.pop_back();
    rows.push_back(row_of(change));
  }
  return rows;
}

}  // namespace millrace::detail
