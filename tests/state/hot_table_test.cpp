#include "millrace/state/hot_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "millrace/core/random.h"
#include "millrace/core/records/hash.h"

namespace millrace::detail {
namespace {

template <class K, class V>
struct Entry {
  K key;
  V value;
};
struct HashOfKey {
  template <class K, class V>
  std::uint64_t operator()(const Entry<K, V>& entry) const {
    return hash_key(entry.key);
  }
};
template <class K, class V>
using Table = HotTable<Entry<K, V>, HashOfKey>;

template <class K, class V>
std::pair<Entry<K, V>&, bool> emplace(Table<K, V>& table, const K& key) {
  return table.emplace(
      hash_key(key), [&](const auto& other) { return other.key == key; },
      [&] {
        return Entry<K, V>{key, V()};
      });
}

template <class K, class V>
Entry<K, V>* find(const Table<K, V>& table, const K& key) {
  return table.find(hash_key(key), [&](const auto& other) { return other.key == key; });
}

// As an operator does for a group of keys.
template <class K, class V>
std::pair<Entry<K, V>&, bool> prefetch_and_emplace(Table<K, V>& table, const K& key) {
  const std::uint64_t hash = hash_key(key);
  table.make_room(1);
  table.prefetch_tag(hash);
  const std::size_t slot = table.prefetch_entry(hash);
  table.prefetch_contents(slot);
  return table.emplace(
      slot, hash, [&](const auto& other) { return other.key == key; },
      [&] {
        return Entry<K, V>{key, V()};
      });
}

// Counts of randomly drawn keys, against a table of the standard library.
template <class K, class MakeKey>
void expect_to_count_as_a_model(std::uint64_t keys, int steps, const MakeKey& make_key) {
  Random random(keys);
  Table<K, std::uint64_t> table;
  std::unordered_map<K, std::uint64_t> model;
  for (int i = 0; i < steps; ++i) {
    const K key = make_key(random.below(keys));
    if (random.chance(0.3)) {
      const auto* entry = find(table, key);
      const auto known = model.find(key);
      ASSERT_EQ(entry != nullptr, known != model.end());
      if (entry) {
        ASSERT_EQ(entry->value, known->second);
      }
      continue;
    }
    auto [entry, is_new] = i % 2 == 0 ? emplace(table, key) : prefetch_and_emplace(table, key);
    ASSERT_EQ(is_new, !model.contains(key));
    ASSERT_EQ(entry.key, key);
    ASSERT_EQ(++entry.value, ++model[key]);
  }
  ASSERT_EQ(table.size(), model.size());
  std::size_t position = 0;
  std::size_t visited = 0;
  EXPECT_TRUE(table.visit(position, [&](auto& entry) {
    EXPECT_EQ(entry.value, model.at(entry.key));
    return ++visited, true;
  }));
  EXPECT_EQ(visited, model.size());
}

TEST(HotTable, AgreesWithAModelOverIntegers) {
  const auto same = [](std::uint64_t i) { return i; };
  expect_to_count_as_a_model<std::uint64_t>(10, 1'000, same);
  expect_to_count_as_a_model<std::uint64_t>(1'000, 20'000, same);
  expect_to_count_as_a_model<std::uint64_t>(200'000, 300'000, same);  // beyond a huge page
}

TEST(HotTable, AgreesWithAModelOverStrings) {
  const auto text = [](std::uint64_t i) {
    return i % 2 == 0 ? std::to_string(i) : "a text that is not held in place " + std::to_string(i);
  };
  expect_to_count_as_a_model<std::string>(10, 1'000, text);
  expect_to_count_as_a_model<std::string>(5'000, 30'000, text);
}

TEST(HotTable, HoldsValuesThatCannotBeCopied) {
  Table<std::string, std::unique_ptr<int>> table;
  for (int i = 0; i < 500; ++i) {
    auto [entry, is_new] = emplace(table, std::to_string(i));
    ASSERT_TRUE(is_new);
    ASSERT_EQ(entry.value, nullptr);
    entry.value = std::make_unique<int>(i);
  }
  for (int i = 0; i < 500; ++i) {
    auto* entry = find(table, std::to_string(i));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(*entry->value, i);
  }
}

TEST(HotTable, IsEmptyAtFirst) {
  Table<std::string, int> table;
  EXPECT_EQ(find(table, std::string("a")), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

TEST(HotTable, MakesValuesFromNothing) {
  Table<int, int> table;
  EXPECT_EQ(emplace(table, 7).first.value, 0);
}

TEST(HotTable, MakesAKeyOnlyForANewEntry) {
  Table<int, int> table;
  int made = 0;
  for (int i = 0; i < 10; ++i) {
    table.emplace(
        hash_key(i % 2), [&](const auto& entry) { return entry.key == i % 2; },
        [&] {
          ++made;
          return Entry<int, int>{i % 2, 0};
        });
  }
  EXPECT_EQ(made, 2);
}

TEST(HotTable, TellsKeysOfOneHashApart) {
  constexpr int kSame = 50;                               // several windows of tags
  constexpr std::uint64_t kHash = 0x1234'5678'ffff'ffff;  // at home in the last slot
  struct OneHash {
    std::uint64_t operator()(const Entry<int, int>&) const { return kHash; }
  };
  HotTable<Entry<int, int>, OneHash> table;
  for (int key = 0; key < kSame; ++key) {
    auto [entry, is_new] = table.emplace(
        kHash, [&](const auto& other) { return other.key == key; },
        [&] {
          return Entry<int, int>{key, 0};
        });
    EXPECT_TRUE(is_new);
    entry.value = 10 * key;
  }
  for (int key = kSame - 1; key >= 0; --key) {
    const auto* entry = table.find(kHash, [&](const auto& other) { return other.key == key; });
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->value, 10 * key);
  }
}

TEST(HotTable, CanBeVisitedInPieces) {
  Table<int, int> table;
  for (int i = 0; i < 100; ++i) emplace(table, i);
  for (const int at_once : {1, 3, 99, 100, 101}) {
    std::set<int> seen;
    std::size_t position = 0;
    bool end = false;
    while (!end) {
      int left = at_once;
      end = table.visit(position, [&](auto& entry) {
        if (left-- == 0) return false;
        EXPECT_TRUE(seen.insert(entry.key).second) << "visited twice";
        return true;
      });
    }
    EXPECT_EQ(seen.size(), 100u);
  }
}

struct Counted {
  inline static int alive = 0;
  Counted() { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  ~Counted() { --alive; }
};

TEST(HotTable, DestroysWhatItHolds) {
  {
    Table<int, Counted> table;
    for (int i = 0; i < 100; ++i) emplace(table, i);
    EXPECT_EQ(Counted::alive, 100);
  }
  EXPECT_EQ(Counted::alive, 0);
}

}  // namespace
}  // namespace millrace::detail
