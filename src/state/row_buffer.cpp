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

void RowBuffer::add(std::string_view key, std::size_t group) {
  check(key.size() >> 32 == 0 && changes_.size() >> 31 == 0, "a row of state is larger than 4 GiB");
  changes_.push_back({.prefix = prefix_of(key),
                      .begin = bytes_.size(),
                      .key_bytes = static_cast<std::uint32_t>(key.size()),
                      .group_bytes = static_cast<std::uint32_t>(std::min(group, key.size())),
                      .value_bytes = 0,
                      .number = static_cast<std::uint32_t>(changes_.size())});
  bytes_.append(key);
}

void RowBuffer::remove(std::string_view key, std::size_t group) {
  if (is_mutant(Mutant::kForgetRemovals)) return;
  add(key, group);
  changes_.back().value_bytes = kRemoved;
}

void RowBuffer::drop_last() {
  bytes_.resize(changes_.back().begin);
  changes_.pop_back();
}

void RowBuffer::clear() {
  bytes_.clear();
  changes_.clear();
  index_ = {};
}

// Linear probing; a group has one slot, that of its last change.
std::size_t RowBuffer::slot_of(std::string_view group) const {
  const std::size_t mask = index_.slots.size() - 1;
  std::size_t slot = hash_text(group) & mask;
  while (index_.slots[slot] != 0 && group_of(changes_[index_.slots[slot] - 1]) != group) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

void RowBuffer::complete_index() {
  while (index_.previous.size() < changes_.size()) index(changes_[index_.previous.size()]);
}

void RowBuffer::index(const Change& change) {
  if (index_.groups * 2 >= index_.slots.size()) {
    const std::size_t larger = std::max<std::size_t>(64, index_.slots.size() * 2);
    const auto old = std::exchange(index_.slots, std::vector<std::uint32_t>(larger));
    for (const std::uint32_t entry : old) {
      if (entry != 0) index_.slots[slot_of(group_of(changes_[entry - 1]))] = entry;
    }
  }
  std::uint32_t& slot = index_.slots[slot_of(group_of(change))];
  if (slot == 0) ++index_.groups;
  index_.previous.push_back(std::exchange(slot, change.number + 1));
}

StateRow RowBuffer::row_of(const Change& change) const {
  StateRow row{.key = key_of(change), .value = std::nullopt};
  if (change.value_bytes != kRemoved) {
    row.value =
        std::string_view(bytes_).substr(change.begin + change.key_bytes, change.value_bytes);
  }
  return row;
}

std::optional<StateRow> RowBuffer::find(std::string_view key) {
  if (empty()) return std::nullopt;
  complete_index();
  const std::uint32_t entry = index_.slots[slot_of(key)];
  if (entry == 0) return std::nullopt;
  return row_of(changes_[entry - 1]);
}

void RowBuffer::copy(const StateRow& row, Changes& into) {
  into.insert_or_assign(std::string(row.key), row.value);
}

// From the newest change to the oldest, which is not the order in which they count.
std::size_t RowBuffer::find_group(std::string_view group, Changes& into) {
  if (empty()) return 0;
  complete_index();
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t entry = index_.slots[slot_of(group)]; entry != 0;) {
    numbers.push_back(entry - 1);
    entry = index_.previous[entry - 1];
  }
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    copy(row_of(changes_[*number]), into);
  }
  return numbers.size();
}

void RowBuffer::find_range(std::string_view first, std::string_view end, Changes& into) const {
  for (const Change& change : changes_) {
    const StateRow row = row_of(change);
    if (row.key >= first && (end.empty() || row.key < end)) copy(row, into);
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
