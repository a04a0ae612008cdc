#include "millrace/state/hot_table.h"

#include <gtest/gtest.h>

#include <array>
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
// Remembers what it was to save.
template <class Row, class HashOf>
class SavingTable : public HotTable<Row, HashOf> {
 public:
  std::vector<std::pair<Row, bool>> saved;

 private:
  void save_row(void* row, bool stored) override {
    if constexpr (std::is_copy_constructible_v<Row>) {
      saved.emplace_back(*static_cast<Row*>(row), stored);
    }
  }
  void evict_row(void*) override {}
};
template <class K, class V>
using Table = SavingTable<Entry<K, V>, HashOfKey>;

template <class K, class V>
std::pair<Entry<K, V>&, bool> emplace(Table<K, V>& table, const K& key) {
  const auto [place, is_new] = table.emplace(
      hash_key(key), [&](const auto& other) { return other.key == key; },
      [&] {
        return Entry<K, V>{key, V()};
      });
  return {table.at(place), is_new};
}

template <class K, class V>
RowTable::Place place_of(const Table<K, V>& table, const K& key) {
  return table.find(hash_key(key), [&](const auto& other) { return other.key == key; });
}
template <class K, class V>
Entry<K, V>* find(const Table<K, V>& table, const K& key) {
  const RowTable::Place place = place_of(table, key);
  return place ? &table.at(place) : nullptr;
}

// As an operator does for a group of keys.
template <class K, class V>
std::pair<Entry<K, V>&, bool> prefetch_and_emplace(Table<K, V>& table, const K& key) {
  const std::uint64_t hash = hash_key(key);
  table.prefetch_tag(hash);
  const RowTable::Place near = table.prefetch_row(hash);
  table.prefetch_contents(near);
  const auto [place, is_new] = table.emplace(
      near, hash, [&](const auto& other) { return other.key == key; },
      [&] {
        return Entry<K, V>{key, V()};
      });
  return {table.at(place), is_new};
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
  typename Table<K, std::uint64_t>::Position position;
  std::size_t visited = 0;
  EXPECT_TRUE(table.visit(position, [&](RowTable::Place place) {
    EXPECT_EQ(table.at(place).value, model.at(table.at(place).key));
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
  SavingTable<Entry<int, int>, OneHash> table;
  for (int key = 0; key < kSame; ++key) {
    const auto [place, is_new] = table.emplace(
        kHash, [&](const auto& other) { return other.key == key; },
        [&] {
          return Entry<int, int>{key, 0};
        });
    EXPECT_TRUE(is_new);
    table.at(place).value = 10 * key;
  }
  for (int key = kSame - 1; key >= 0; --key) {
    const auto place = table.find(kHash, [&](const auto& other) { return other.key == key; });
    ASSERT_TRUE(place);
    EXPECT_EQ(table.at(place).value, 10 * key);
  }
}

TEST(HotTable, CanBeVisitedInPieces) {
  Table<int, int> table;
  for (int i = 0; i < 100; ++i) emplace(table, i);
  for (const int at_once : {1, 3, 99, 100, 101}) {
    std::set<int> seen;
    Table<int, int>::Position position;
    bool end = false;
    while (!end) {
      int left = at_once;
      end = table.visit(position, [&](RowTable::Place place) {
        if (left-- == 0) return false;
        EXPECT_TRUE(seen.insert(table.at(place).key).second) << "visited twice";
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

// A table whose checkpoints are written into a map, beside a model of both.
class Checkpointed {
 public:
  explicit Checkpointed(std::uint64_t seed) : random_(seed), keys_(10 + random_.below(20'000)) {}

  void change() {
    const std::uint64_t key = random_.below(keys_);
    if (random_.chance(0.7)) {
      emplace(table_, key).first.value = live_[key] = random_.next();
    } else if (const RowTable::Place place = place_of(table_, key)) {
      table_.erase(place);
      live_.erase(key);
      removed_.insert(key);
    }
  }
  void freeze() {
    frozen_ = live_;
    for (const std::uint64_t key : std::exchange(removed_, {})) database_.erase(key);
    table_.freeze();
    freezing_ = true;
  }
  void abandon() {
    table_.abandon();
    write();
    freezing_ = false;
  }
  void save_some() {
    freezing_ = table_.save_some(random_.below(200));
    write();
    if (!freezing_) {
      ASSERT_EQ(database_, frozen_);
    }
  }
  void step() {
    change();
    if (!freezing_ && random_.chance(0.001)) return freeze();
    if (freezing_ && random_.chance(0.02)) return save_some();
    if (freezing_ && random_.chance(0.0003)) abandon();
  }

 private:
  void write() {
    for (const auto& [row, stored] : std::exchange(table_.saved, {})) {
      database_[row.key] = row.value;
    }
  }

  Random random_;
  const std::uint64_t keys_;
  Table<std::uint64_t, std::uint64_t> table_;
  std::unordered_map<std::uint64_t, std::uint64_t> live_;
  std::unordered_map<std::uint64_t, std::uint64_t> frozen_;
  std::unordered_map<std::uint64_t, std::uint64_t> database_;
  std::set<std::uint64_t> removed_;
  bool freezing_ = false;
};

TEST(HotTable, SavesWhatItWasAtTheBarrier) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Checkpointed checkpointed(seed);
    for (int step = 0; step < 50'000 && !HasFatalFailure(); ++step) checkpointed.step();
  }
}

TEST(HotTable, SplitsInTheOrderOfHashes) {
  Table<std::uint64_t, std::uint64_t> table;
  constexpr std::uint64_t kKeys = 3'000'000;  // several shards
  for (std::uint64_t key = 0; key < kKeys; ++key) emplace(table, key).first.value = key;
  EXPECT_EQ(table.size(), kKeys);
  for (std::uint64_t key = 0; key < kKeys; key += 17) ASSERT_EQ(find(table, key)->value, key);
  EXPECT_LT(table.bytes(), kKeys * 16 * 2);
}

TEST(HotTable, EvictsRowsThatWereNotFoundAgain) {
  Table<std::uint64_t, std::uint64_t> table;
  table.allow_eviction(64 << 10);
  constexpr std::uint64_t kKeys = 100'000;
  for (std::uint64_t key = 0; key < kKeys; ++key) emplace(table, key).first.value = key;
  for (std::uint64_t key = 0; key < kKeys; key += 2) table.note_use(place_of(table, key));
  while (table.size() > kKeys / 2) table.evict_some();
  EXPECT_EQ(table.size(), kKeys / 2);
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    ASSERT_EQ(find(table, key) != nullptr, key % 2 == 0) << key;
  }
  while (table.size() > 0) table.evict_some();  // nothing was used since
}

TEST(HotTable, KnowsWhatWasUsedThoughRowsMove) {
  Table<std::uint64_t, std::uint64_t> table;
  table.allow_eviction(64 << 10);
  constexpr std::uint64_t kUsed = 1'000;
  for (std::uint64_t key = 0; key < kUsed; ++key) emplace(table, key).first.value = key;
  for (std::uint64_t key = 0; key < kUsed; ++key) table.note_use(place_of(table, key));
  for (std::uint64_t key = kUsed; key < 100 * kUsed; ++key) emplace(table, key).first.value = key;
  while (table.size() > kUsed) table.evict_some();
  for (std::uint64_t key = 0; key < kUsed; ++key) ASSERT_NE(find(table, key), nullptr) << key;
}

TEST(HotTable, IsDenseOnceRowsHaveToLeave) {
  constexpr std::size_t kBudget = 4 << 20;
  constexpr std::size_t kRow = 2 * sizeof(std::uint64_t) + 1;
  Table<std::uint64_t, std::uint64_t> table;
  table.allow_eviction(kBudget / 32);
  double rows = 0;
  constexpr std::uint64_t kKeys = 2'000'000;
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    emplace(table, key);
    while (table.bytes() > kBudget) ASSERT_GT(table.evict_some(), 0U);
    if (key >= kKeys / 2) rows += static_cast<double>(table.size());
  }
  EXPECT_GT(rows / (kKeys / 2) * kRow, 0.75 * kBudget);
}

TEST(HotTable, MovesNoRowsWhereNoneLeave) {
  Table<std::uint64_t, std::uint64_t> table;
  table.allow_eviction(64 << 10);
  constexpr std::uint64_t kKeys = 13;  // a small shard, nearly full
  for (std::uint64_t key = 0; key < kKeys; ++key) emplace(table, key);
  for (std::uint64_t key = 0; key < kKeys; ++key) table.note_use(place_of(table, key));
  const std::uint64_t moves = table.moves();
  EXPECT_EQ(table.evict_some(), 0U);
  EXPECT_EQ(table.moves(), moves);
  EXPECT_EQ(table.evict_some(), kKeys) << "nothing was used since";
}

TEST(HotTable, GivesBackMemoryThoughNoRowLeaves) {
  Table<std::uint64_t, std::uint64_t> table;
  table.allow_eviction(1 << 20);
  for (std::uint64_t key = 0; key < 10'000; ++key) emplace(table, key);
  for (std::uint64_t key = 0; key < 10'000; ++key) table.erase(place_of(table, key));
  EXPECT_EQ(table.evict_some(), 0U);
  EXPECT_LT(table.bytes(), 1'000U);
}

template <std::size_t bytes>
using Words = std::array<std::uint64_t, bytes / sizeof(std::uint64_t)>;

// Keeps the value of each row that leaves it.
template <std::size_t bytes>
class LargeRows final : public Table<std::uint64_t, Words<bytes>> {
 public:
  std::unordered_map<std::uint64_t, std::uint64_t> evicted;

 private:
  void evict_row(void* at) override {
    const auto& row = *static_cast<const Entry<std::uint64_t, Words<bytes>>*>(at);
    evicted[row.key] = row.value.back();
  }
};

template <std::size_t bytes>
void expect_to_evict_as_a_model() {
  constexpr std::size_t kBudget = 300 * bytes;
  constexpr std::uint64_t kKeys = 1'000;
  Random random(bytes);
  LargeRows<bytes> table;
  table.allow_eviction(64 << 10);
  std::unordered_map<std::uint64_t, std::uint64_t> model;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t key = random.below(kKeys);
    auto [row, is_new] = emplace(table, key);
    if (is_new) row.value.fill(table.evicted[key]);
    ASSERT_EQ(row.value.front(), model[key]);
    ASSERT_EQ(row.value.back(), model[key]);
    row.value.fill(model[key] = random.next());
    if (random.chance(0.5)) table.note_use(place_of(table, key));
    if (i < 5'000) continue;  // it grows without rows leaving first
    for (int turns = 0; table.bytes() > kBudget; ++turns) {
      ASSERT_LT(turns, 100) << "eviction frees no memory";
      table.evict_some();
    }
  }
  for (const auto& [key, value] : model) {
    const auto* const row = find(table, key);
    ASSERT_EQ(row != nullptr ? row->value.back() : table.evicted.at(key), value);
  }
}

// Where few of them are a shard.
TEST(HotTable, EvictsLargeRows) {
  expect_to_evict_as_a_model<std::size_t{1} << 10>();
  expect_to_evict_as_a_model<std::size_t{4} << 10>();
  expect_to_evict_as_a_model<std::size_t{16} << 10>();
}

}  // namespace
}  // namespace millrace::detail
