// Rows of state on their way to the database: changes in the order in which they were made, and in
// the order of their keys once they are written. A later change of a row replaces an earlier one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/state/state_store.h"

namespace millrace::detail {

class RowBuffer {
 public:
  void put(std::string_view key, std::string_view value) { add(key, value, true); }
  void remove(std::string_view key) { add(key, {}, false); }

  bool empty() const { return changes_.empty(); }
  std::size_t rows() const { return changes_.size(); }
  std::size_t bytes() const { return bytes_.size() + changes_.size() * sizeof(Change); }

  // The changes that count, their keys ascending strictly. They refer to the buffer.
  std::vector<StateRow> sorted();

 private:
  struct Change {
    std::uint64_t prefix;  // the key's first bytes: most comparisons need no more
    std::uint64_t begin;   // of the key; the value follows
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
    std::uint32_t number;
    bool present;
  };

  void add(std::string_view key, std::string_view value, bool present);
  std::string_view key_of(const Change& change) const {
    return std::string_view(bytes_).substr(change.begin, change.key_bytes);
  }

  std::string bytes_;
  std::vector<Change> changes_;
};

}  // namespace millrace::detail
