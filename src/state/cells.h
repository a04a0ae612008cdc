// What a key may have: a value, a list, a map. Each knows which of its rows were changed since it
// was last saved, so that nothing that grows with a collection is written as a whole.
#pragma once

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "millrace/core/time.h"
#include "millrace/state/key_table.h"

namespace millrace::detail {

// A value with the time from which it lives. A plain struct: it is written as one.
template <class V>
struct Expiring {
  V value{};
  Timestamp touched = kMinTimestamp;
};

template <class V>
struct ValueCell {
  static constexpr std::string_view kKind = "value";
  static constexpr bool kOneRow = true;
  static const Type* entry_type() { return nullptr; }
  static const Type& value_type() { return type_of<V>(); }

  V value{};

  void save(RowsOf& rows, bool) { rows.save(&value); }
  void remove(RowsOf& rows, bool stored) {
    if (stored) rows.remove();
  }
  Status load(const StatePart& part, std::string_view, std::string_view bytes) {
    return part.decode(bytes, &value);
  }
  std::size_t heap() const { return heap_footprint<HeapBytes::kReserved>(value); }
  bool has_expired(Timestamp limit) const {
    if constexpr (is_instance<V, Expiring>) return value.touched <= limit;
    return false;
  }
  bool expire(Timestamp limit) { return has_expired(limit); }
};

// A row for each kChunk elements; what is appended changes the last one only. Where elements expire
// they do so in their order, for each is as old as those behind it, or older.
template <class V>
struct ListCell {
  static constexpr std::string_view kKind = "list";
  static constexpr bool kOneRow = false;
  static constexpr std::size_t kChunk = 64;
  struct Chunk {
    std::vector<V> values;
    std::vector<Timestamp> touched;
  };
  static const Type* entry_type() { return nullptr; }
  static const Type& value_type() { return type_of<Chunk>(); }

  std::vector<V> values;
  std::vector<Timestamp> touched;  // as many, where elements expire; else none
  std::size_t saved = 0;           // so many elements were not changed since they were saved
  std::size_t chunks = 0;          // so many rows the database has

  void append(V value, std::optional<Timestamp> now) {
    values.push_back(std::move(value));
    if (!now) return;
    // A clock that was ahead is no reason to keep anything for longer, nor out of order.
    for (std::size_t i = touched.size(); i > 0 && touched[i - 1] > *now; --i) {
      touched[i - 1] = *now;
      saved = std::min(saved, i - 1);
    }
    touched.push_back(*now);
  }
  bool has_expired(Timestamp limit) const { return !touched.empty() && touched.front() <= limit; }
  bool expire(Timestamp limit) {
    if (!has_expired(limit)) return false;
    const auto end = std::upper_bound(touched.begin(), touched.end(), limit);
    values.erase(values.begin(), values.begin() + (end - touched.begin()));
    touched.erase(touched.begin(), end);
    saved = 0;
    return values.empty();
  }
  std::size_t heap() const {
    const std::size_t each =
        values.empty() ? 0 : heap_footprint<HeapBytes::kReserved>(values.front());
    return values.capacity() * sizeof(V) + values.size() * each +
           touched.capacity() * sizeof(Timestamp);
  }

  void save(RowsOf& rows, bool) {
    for (std::size_t first = saved / kChunk * kChunk; first < values.size(); first += kChunk) {
      const Chunk chunk{part_of(values, first), part_of(touched, first)};
      rows.at(number_of(first / kChunk));
      rows.save(&chunk);
    }
    const std::size_t needed = (values.size() + kChunk - 1) / kChunk;
    for (std::size_t i = needed; i < chunks; ++i) {
      rows.at(number_of(i));
      rows.remove();
    }
    saved = values.size();
    chunks = needed;
  }
  void remove(RowsOf& rows, bool) {
    for (std::size_t i = 0; i < chunks; ++i) {
      rows.at(number_of(i));
      rows.remove();
    }
  }
  // Chunks before it may have expired in the database: then the next change writes all anew.
  Status load(const StatePart& part, std::string_view entry, std::string_view bytes) {
    Chunk chunk;
    Status decoded = part.decode(bytes, &chunk);
    std::uint64_t number = 0;
    if (entry.size() != sizeof number) return corruption("the number of a list's chunk is missing");
    std::memcpy(&number, entry.data(), sizeof number);
    number = number_of(number);
    const bool follows = number == chunks && saved == values.size();
    std::move(chunk.values.begin(), chunk.values.end(), std::back_inserter(values));
    touched.insert(touched.end(), chunk.touched.begin(), chunk.touched.end());
    saved = follows ? values.size() : 0;
    chunks = number + 1;
    return decoded;
  }

 private:
  template <class X>
  static std::vector<X> part_of(const std::vector<X>& all, std::size_t first) {
    const std::size_t begin = std::min(first, all.size());
    const std::size_t end = std::min(first + kChunk, all.size());
    return {all.begin() + static_cast<std::ptrdiff_t>(begin),
            all.begin() + static_cast<std::ptrdiff_t>(end)};
  }
  // Rows lie in the order of their keys' bytes.
  static std::uint64_t number_of(std::size_t chunk) { return __builtin_bswap64(chunk); }
};

// A row for each entry. What is kept of changes is bounded by the entries that there are and those
// that the database has: of an entry that comes and goes between two saves nothing stays.
template <class E, class V>
struct MapCell {
  static constexpr std::string_view kKind = "map";
  static constexpr bool kOneRow = false;
  static const Type* entry_type() { return &type_of<E>(); }
  static const Type& value_type() { return type_of<V>(); }

  struct Entry {
    V value{};
    bool changed = false;  // and in `changes`
    bool stored = false;
  };

  std::map<E, Entry> entries;
  std::vector<E> changes;  // keys of entries that were changed or made, perhaps gone since
  std::vector<E> removed;  // keys of entries that the database has, perhaps made anew since

  V& edit(const E& key) {
    Entry& entry = entries[key];
    if (!std::exchange(entry.changed, true)) note_change(key);
    return entry.value;
  }
  bool erase(const E& key) {
    const auto found = entries.find(key);
    if (found == entries.end()) return false;
    if (found->second.stored) removed.push_back(key);
    entries.erase(found);
    return true;
  }

  bool has_expired(Timestamp limit) const {
    if constexpr (is_instance<V, Expiring>) {
      return std::ranges::any_of(
          entries, [&](const auto& entry) { return entry.second.value.touched <= limit; });
    }
    return false;
  }
  bool expire(Timestamp limit) {
    std::vector<E> expired;
    if constexpr (is_instance<V, Expiring>) {
      for (const auto& [key, entry] : entries) {
        if (entry.value.touched <= limit) expired.push_back(key);
      }
    }
    for (const E& key : expired) erase(key);
    return entries.empty();
  }
  std::size_t heap() const {
    constexpr std::size_t kNode = 32;  // of a tree, beside what it holds
    const std::size_t noted = heap_of_keys(changes) + heap_of_keys(removed);
    if (entries.empty()) return noted;
    const auto& [key, entry] = *entries.begin();
    return noted + entries.size() * (kNode + sizeof(key) + sizeof(entry) +
                                     heap_footprint<HeapBytes::kReserved>(key) +
                                     heap_footprint<HeapBytes::kReserved>(entry.value));
  }

  void save(RowsOf& rows, bool) {
    for (const E& key : removed) {
      if (!entries.contains(key)) remove_row(rows, key);
    }
    for (const E& key : changes) {
      const auto found = entries.find(key);
      if (found == entries.end() || !found->second.changed) continue;
      rows.at(key);
      rows.save(&found->second.value);
      found->second.changed = false;
      found->second.stored = true;
    }
    removed.clear();
    changes.clear();
  }
  void remove(RowsOf& rows, bool) {
    for (const E& key : removed) remove_row(rows, key);
    for (const auto& [key, entry] : entries) {
      if (entry.stored) remove_row(rows, key);
    }
  }
  Status load(const StatePart& part, std::string_view bytes, std::string_view value) {
    E key{};
    if (!read_key(bytes, key) || !bytes.empty()) {
      return corruption("the key of a map's entry cannot be read");
    }
    Entry& entry = entries[std::move(key)];
    entry.stored = true;
    return part.decode(value, &entry.value);
  }

 private:
  static constexpr std::size_t kFewChanges = 32;

  void note_change(const E& key) {
    if (changes.size() >= 2 * entries.size() + kFewChanges) forget_what_went();
    changes.push_back(key);
  }
  void forget_what_went() {
    changes.clear();
    for (const auto& [key, entry] : entries) {
      if (entry.changed) changes.push_back(key);
    }
  }
  static void remove_row(RowsOf& rows, const E& key) {
    rows.at(key);
    rows.remove();
  }
  static std::size_t heap_of_keys(const std::vector<E>& keys) {
    if (keys.empty()) return keys.capacity() * sizeof(E);
    return keys.capacity() * sizeof(E) +
           keys.size() * heap_footprint<HeapBytes::kReserved>(keys.front());
  }
};

}  // namespace millrace::detail
