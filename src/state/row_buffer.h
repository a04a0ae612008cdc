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

  void put(std::string_view key, std::string_view value, Find find = Find::kYes) {
    add(key, value, true, find);
  }
  void remove(std::string_view key, Find find = Find::kYes) { add(key, {}, false, find); }

  // The last change of that row, of those to be found.
  std::optional<StateRow> find(std::string_view key) const;

  // Copies those of a range of keys; they replace older changes of their rows.
  using Changes = std::map<std::string, std::optional<std::string>>;
  void find_range(std::string_view first, std::string_view end, Changes& into) const;

  bool empty() const { return changes_.empty(); }
  std::size_t rows() const { return changes_.size(); }
  std::size_t bytes() const { return bytes_.size() + changes_.size() * sizeof(Change); }

  // The changes that count, their keys ascending strictly. They refer to the buffer.
  std::vector<StateRow> sorted() const;

 private:
  struct Change {
    std::uint64_t prefix;  // the key's first bytes: most comparisons need no more
    std::uint64_t begin;   // of the key; the value follows
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
    std::uint32_t number;
    bool present;
  };

  void add(std::string_view key, std::string_view value, bool present, Find find);
  void index(std::uint32_t number);
  std::size_t slot_of(std::string_view key) const;
  StateRow row_of(const Change& change) const;
  std::string_view key_of(const Change& change) const {
    return std::string_view(bytes_).substr(change.begin, change.key_bytes);
  }

  std::string bytes_;
  std::vector<Change> changes_;
  std::vector<std::uint32_t> slots_;  // by hash: the number of a change plus one, or 0
  std::size_t indexed_ = 0;
};

}  // namespace millrace::detail
