#include "millrace/state/row_buffer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>

#include "millrace/core/check.h"
#include "millrace/core/mutant.h"
#include "millrace/core/records/hash.h"

namespace millrace::detail {
namespace {

// So many rows before they are read their places are asked of the memory, and before that what says
// where they are.
constexpr std::size_t kAhead = 12;
constexpr std::size_t kFarAhead = 24;

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
  std::vector<InOrder> order;
  order.reserve(changes_.size());
  for (const Change& change : changes_) order.push_back({change.prefix, change.number});
  sort_by_prefix(order);
  std::vector<StateRow> rows;
  rows.reserve(order.size());
  const auto change_at = [&](std::size_t i) -> const Change& { return changes_[order[i].number]; };
  for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
    for (end = first + 1; end < order.size() && order[end].prefix == order[first].prefix;) ++end;
    if (end > first + 1) sort_by_key(std::span(order).subspan(first, end - first));
    for (std::size_t i = first; i < end; ++i) {
      if (i + kFarAhead < order.size()) __builtin_prefetch(&change_at(i + kFarAhead));
      if (i + kAhead < order.size()) __builtin_prefetch(&bytes_[change_at(i + kAhead).begin]);
      const bool again = i > first && rows.back().key == key_of(change_at(i));
      if (again) rows.pop_back();
      rows.push_back(row_of(change_at(i)));
    }
  }
  return rows;
}

// Of one key the changes stay in their order.
void RowBuffer::sort_by_key(std::span<InOrder> same_prefix) const {
  std::ranges::sort(same_prefix, [this](const InOrder& a, const InOrder& b) {
    const int order = key_of(changes_[a.number]).compare(key_of(changes_[b.number]));
    return order != 0 ? order < 0 : a.number < b.number;
  });
}

// Digit by digit, the last one first. Those that all prefixes share cost a look.
void RowBuffer::sort_by_prefix(std::vector<InOrder>& order) {
  constexpr int kDigitBits = 8;
  std::vector<InOrder> sorted(order.size());
  for (int shift = 0; shift < 64 && !order.empty(); shift += kDigitBits) {
    const auto digit_of = [&](const InOrder& entry) { return entry.prefix >> shift & 0xff; };
    std::array<std::size_t, 1 << kDigitBits> places{};
    for (const InOrder& entry : order) ++places[digit_of(entry)];
    if (places[digit_of(order.front())] == order.size()) continue;
    std::exclusive_scan(places.begin(), places.end(), places.begin(), std::size_t{0});
    for (const InOrder& entry : order) sorted[places[digit_of(entry)]++] = entry;
    std::swap(order, sorted);
  }
}

}  // namespace millrace::detail
