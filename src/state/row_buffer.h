// Rows of state on their way to the database: changes in the order in which they were made, and in
// the order of their keys once they are written. A later change of a row replaces an earlier one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/check.h"
#include "millrace/state/state_store.h"

namespace millrace::detail {

class RowBuffer {
 public:
  // Rows whose keys begin with the same `group` bytes are found together: those of one collection.
  void put(std::string_view key, std::string_view value, std::size_t group = kWholeKey) {
    (void)put_encoded(key, group, [&](std::string& out) -> Status {
      out.append(value);
      return {};
    });
  }
  void remove(std::string_view key, std::size_t group = kWholeKey);
  // With the value that encode(out) appends; nothing is added if it fails.
  template <class Encode>
  Status put_encoded(std::string_view key, std::size_t group, const Encode& encode) {
    add(key, group);
    const std::size_t begin = bytes_.size();
    Status encoded = encode(bytes_);
    const std::size_t bytes = bytes_.size() - begin;
    check(bytes < kRemoved, "a row of state is larger than 4 GiB");
    changes_.back().value_bytes = static_cast<std::uint32_t>(bytes);
    if (!encoded) drop_last();
    return encoded;
  }

  // The last change of that row, which is a group of its own. What was added since somebody last
  // looked for something is indexed first: only who looks pays for an index.
  std::optional<StateRow> find(std::string_view key);

  // Copies the changes of a group; they replace older changes of their rows. Returns how many
  // changes were looked at for it.
  using Changes = std::map<std::string, std::optional<std::string>>;
  std::size_t find_group(std::string_view group, Changes& into);
  // The same for a range of keys. It looks at all changes.
  void find_range(std::string_view first, std::string_view end, Changes& into) const;

  bool empty() const { return changes_.empty(); }
  std::size_t rows() const { return changes_.size(); }
  std::size_t bytes() const { return bytes_.size() + changes_.size() * sizeof(Change); }

  // The changes that count, their keys ascending strictly. They refer to the buffer. Another thread
  // may call it while this one looks for rows.
  std::vector<StateRow> sorted() const;

  // Empty, with the memory that it has.
  void clear();

 private:
  static constexpr std::size_t kWholeKey = ~std::size_t{0};
  static constexpr std::uint32_t kRemoved = ~std::uint32_t{0};

  struct Change {
    std::uint64_t prefix;  // the key's first bytes: most comparisons need no more
    std::uint64_t begin;   // of the key; the value follows
    std::uint32_t key_bytes;
    std::uint32_t group_bytes;
    std::uint32_t value_bytes;  // or kRemoved
    std::uint32_t number;
  };
  // By the bytes that groups begin with: the last change of each, and of each change the one before
  // it, as their numbers plus one, or 0.
  struct Index {
    std::vector<std::uint32_t> slots;
    std::vector<std::uint32_t> previous;  // of the changes that were indexed
    std::size_t groups = 0;
  };

  // What is sorted by: little is moved.
  struct InOrder {
    std::uint64_t prefix;
    std::uint32_t number;
  };

  void add(std::string_view key, std::size_t group);
  void drop_last();
  void complete_index();
  void index(const Change& change);
  std::size_t slot_of(std::string_view group) const;
  StateRow row_of(const Change& change) const;
  std::string_view key_of(const Change& change) const {
    return std::string_view(bytes_).substr(change.begin, change.key_bytes);
  }
  std::string_view group_of(const Change& change) const {
    return std::string_view(bytes_).substr(change.begin, change.group_bytes);
  }
  void sort_by_key(std::span<InOrder> same_prefix) const;
  static void sort_by_prefix(std::vector<InOrder>& order);
  static void copy(const StateRow& row, Changes& into);

  std::string bytes_;
  std::vector<Change> changes_;
  Index index_;
};

}  // namespace millrace::detail
