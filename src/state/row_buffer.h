// Rows of state on their way to the database: changes in the order in which they were made, and in
// the order of their keys once they are written. A later change of a row replaces an earlier one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/state/state_store.h"

namespace millrace::detail {

class RowBuffer {
 public:
  // A change that is to be found is worth its place in an index.
  enum class Find : std::uint8_t { kNo, kYes };

  // Rows whose keys begin with the same `group` bytes are found together: those of one collection.
  void put(std::string_view key, std::string_view value, Find find = Find::kYes,
           std::size_t group = kWholeKey) {
    add(key, value, find, group);
  }
  void remove(std::string_view key, Find find = Find::kYes, std::size_t group = kWholeKey) {
    add(key, std::nullopt, find, group);
  }

  // The last change of that row, which is a group of its own.
  std::optional<StateRow> find(std::string_view key) const;

  // Copies the changes of a group; they replace older changes of their rows. Returns how many
  // changes were looked at for it.
  using Changes = std::map<std::string, std::optional<std::string>>;
  std::size_t find_group(std::string_view group, Changes& into) const;
  // The same for a range of keys. It looks at all changes, also those not to be found.
  void find_range(std::string_view first, std::string_view end, Changes& into) const;

  bool empty() const { return changes_.empty(); }
  std::size_t rows() const { return changes_.size(); }
  std::size_t bytes() const { return bytes_.size() + changes_.size() * sizeof(Change); }

  // The changes that count, their keys ascending strictly. They refer to the buffer.
  std::vector<StateRow> sorted() const;

 private:
  static constexpr std::size_t kWholeKey = ~std::size_t{0};

  struct Change {
    std::uint64_t prefix;  // the key's first bytes: most comparisons need no more
    std::uint64_t begin;   // of the key; the value follows
    std::uint32_t key_bytes;
    std::uint32_t group_bytes;
    std::uint32_t value_bytes;
    std::uint32_t number;
    std::uint32_t previous;  // of the group: its number plus one, or 0
    bool present;
  };

  void add(std::string_view key, std::optional<std::string_view> value, Find find,
           std::size_t group);
  void index(Change& change);
  std::size_t slot_of(std::string_view group) const;
  StateRow row_of(const Change& change) const;
  std::string_view key_of(const Change& change) const {
    return std::string_view(bytes_).substr(change.begin, change.key_bytes);
  }
  std::string_view group_of(const Change& change) const {
    return std::string_view(bytes_).substr(change.begin, change.group_bytes);
  }
  static void copy(const StateRow& row, Changes& into);

  std::string bytes_;
  std::vector<Change> changes_;
  std::vector<std::uint32_t> slots_;  // by hash: the number of a group's last change plus one, or 0
  std::size_t indexed_ = 0;
};

}  // namespace millrace::detail
