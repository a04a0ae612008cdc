// The filter of evicted rows: by itself, and between keyed state and its database.
#include "millrace/state/evicted_rows.h"

#include <gtest/gtest.h>

#include <map>

#include "millrace/core/random.h"
#include "millrace/core/records/hash.h"
#include "millrace/state/list_state.h"
#include "millrace/state/value_state.h"
#include "state/state_fixture.h"

namespace millrace::detail {
namespace {

constexpr std::uint64_t kEnd = std::uint64_t{1} << 32;

std::uint64_t hash_with(std::uint64_t upper) { return upper << 32 | 0x1234; }

TEST(EvictedRows, HasNothingAndTakesNoMemoryAtFirst) {
  EvictedRows rows;
  rows.limit(1 << 20);
  EXPECT_FALSE(rows.may_have(hash_key(1)));
  EXPECT_EQ(rows.bytes(), 0U);
}

TEST(EvictedRows, NeverDeniesARowAndSeldomInventsOne) {
  Random random(1);
  for (const auto& [first, end] :
       {std::pair<std::uint64_t, std::uint64_t>{0, kEnd}, {kEnd / 8, kEnd / 4}, {kEnd - 5, kEnd}}) {
    EvictedRows rows;
    rows.limit(64 << 10);
    rows.set_range(first, end);
    constexpr std::size_t kRows = 50'000;  // ten bits each
    std::vector<std::uint64_t> added;
    for (std::size_t i = 0; i < kRows; ++i) {
      added.push_back(hash_with(first + random.below(end - first)));
      rows.add(added.back());
    }
    for (const std::uint64_t hash : added) ASSERT_TRUE(rows.may_have(hash));
    EXPECT_LE(rows.bytes(), std::size_t{64} << 10);
    if (end - first < 100) continue;
    std::size_t invented = 0;
    for (std::size_t i = 0; i < kRows; ++i) {
      invented += rows.may_have(hash_with(first + random.below(end - first))) ? 1 : 0;
    }
    EXPECT_LT(invented, kRows / 20);
  }
}

TEST(EvictedRows, KnowsNothingOfHashesOutsideItsRange) {
  EvictedRows rows;
  rows.limit(1 << 10);
  rows.set_range(1'000, 2'000);
  for (const std::uint64_t upper : {std::uint64_t{999}, std::uint64_t{2'000}, kEnd - 1}) {
    rows.add(hash_with(upper));
    EXPECT_TRUE(rows.may_have(hash_with(upper)));
  }
  EXPECT_FALSE(rows.may_have(hash_with(1'500)));
}

TEST(EvictedRows, SaysMaybeToAllWithoutMemory) {
  EvictedRows rows;
  rows.add(hash_key(1));
  EXPECT_TRUE(rows.may_have(hash_key(1)));
  EXPECT_TRUE(rows.may_have(hash_key(2)));
  rows.learned_to(kEnd);
  EXPECT_TRUE(rows.may_have(hash_key(2))) << "nothing can be learned";
}

TEST(EvictedRows, LearnsInTheOrderOfHashesWhatWasAskedForInVain) {
  EvictedRows rows;
  rows.limit(1 << 20);
  rows.forget();
  EXPECT_TRUE(rows.may_have(hash_with(10)));
  EXPECT_EQ(rows.worth_learning(), 0U);
  rows.count_in_vain(511);
  EXPECT_EQ(rows.worth_learning(), 0U);
  rows.count_in_vain(100);
  EXPECT_EQ(rows.worth_learning(), 611U);
  rows.learn(5);
  rows.learned_to(100);
  EXPECT_EQ(rows.worth_learning(), 0U);
  EXPECT_TRUE(rows.may_have(hash_with(5)));
  EXPECT_FALSE(rows.may_have(hash_with(10)));
  EXPECT_TRUE(rows.may_have(hash_with(100)));
  rows.learned_to(kEnd);
  rows.count_in_vain(10'000);
  EXPECT_EQ(rows.worth_learning(), 0U) << "all is known";
}

struct Owner : OwnerUnderTest<std::int64_t> {
  ValueState<std::int64_t> value{*this, "value"};
  ListState<std::int64_t> list{*this, "list"};
};

constexpr std::int64_t kOften = 20'000;

TEST(EvictedRowsOfKeyedState, AsksTheDatabaseForNoKeyThatWasNeverThere) {
  StateWorld world;
  world.memory = 256 << 10;
  Owner owner;
  owner.open(world);
  for (std::int64_t key = 0; key < kOften; ++key) {
    owner.at(key);
    owner.value = key;
  }
  ASSERT_LT(owner.keyed_state().rows_held(), static_cast<std::size_t>(kOften) / 2);
  EXPECT_LE(owner.keyed_state().bytes_held(), world.memory);
  EXPECT_LT(world.stores.asked, static_cast<std::size_t>(kOften) / 5);
  const std::size_t before = world.stores.asked;
  for (std::int64_t key = 0; key < kOften; ++key) {
    owner.at(-1 - key);
    EXPECT_TRUE(owner.list.empty());
  }
  EXPECT_EQ(world.stores.asked, before) << "no list was ever evicted";
}

TEST(EvictedRowsOfKeyedState, AsksNothingBeforeAnythingWasEvicted) {
  StateWorld world;
  world.memory = 64 << 20;
  Owner owner;
  owner.open(world);
  for (std::int64_t key = 0; key < 1'000; ++key) {
    owner.at(key);
    owner.value = key;
    if (key == 500) (void)owner.checkpoint();
  }
  EXPECT_EQ(world.stores.asked, 0U);
}

void fill(Owner& owner, std::int64_t keys) {
  for (std::int64_t key = 0; key < keys; ++key) {
    owner.at(key);
    owner.value = key;
  }
}

// How often the database is asked for keys that it does not have, in `rounds` of 1,000.
std::size_t asked_in_vain(Owner& owner, StateWorld& world, int rounds) {
  const std::size_t before = world.stores.asked;
  for (std::int64_t i = 0; i < rounds * 1'000; ++i) {
    owner.at(-1 - i);
    EXPECT_FALSE(owner.value.has_value());
  }
  return world.stores.asked - before;
}

// Opens a restored database of 3,000 rows, and looks for keys that it has and for others.
void learn_with(std::size_t memory) {
  StateWorld world;
  world.memory = memory;
  {
    Owner owner;
    owner.open(world);
    fill(owner, 3'000);
    world.restored = {owner.checkpoint()};
  }
  Owner owner;
  owner.open(world);
  EXPECT_GE(asked_in_vain(owner, world, 1), 500U) << "all is unknown at first";
  (void)asked_in_vain(owner, world, 20);
  EXPECT_LT(asked_in_vain(owner, world, 2), 50U);
  for (std::int64_t key = 0; key < 3'000; ++key) {
    owner.at(key);
    ASSERT_EQ(owner.value.value_or(-1), key);
  }
}

TEST(EvictedRowsOfKeyedState, LearnsWhatARestoredDatabaseHas) { learn_with(1 << 20); }

TEST(EvictedRowsOfKeyedState, LearnsWhatARestoredDatabaseHasWhereNothingIsEvicted) {
  learn_with(0);
}

// Goes on with half of the key groups, and looks for keys that it has and for others.
void copy_with(std::size_t memory) {
  StateWorld world;
  world.memory = memory;
  {
    Owner owner;
    owner.open(world);
    fill(owner, 3'000);
    world.restored = {owner.checkpoint()};
  }
  Owner half;
  constexpr KeyGroupRange kHalf{KeyGroup(0), KeyGroup(3)};
  half.open(world, kHalf);
  std::size_t own = 0;
  const std::size_t before = world.stores.asked;
  for (std::int64_t key = -3'000; key < 3'000; ++key) {
    if (!kHalf.contains(key_group_of(hash_key(key), kGroups))) continue;
    half.at(key);
    ASSERT_EQ(half.value.value_or(-1), key < 0 ? -1 : key);
    own += key < 0 ? 0 : 1;
  }
  EXPECT_LT(world.stores.asked - before, own + own / 5);
}

TEST(EvictedRowsOfKeyedState, KnowsWhatItHasCopiedFromOtherInstances) { copy_with(1 << 20); }

TEST(EvictedRowsOfKeyedState, KnowsWhatItHasCopiedWhereNothingIsEvicted) { copy_with(0); }

// Random changes, evictions, checkpoints, and going on from them at other parallelism, against a
// model: what a filter denied wrongly would be missing.
TEST(EvictedRowsOfKeyedState, LosesNothingWhateverHappens) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    StateWorld world;
    world.memory = std::size_t{1} << (10 + random.below(10));
    std::map<std::int64_t, std::pair<std::int64_t, std::vector<std::int64_t>>> model;
    std::vector<std::pair<KeyGroupRange, std::unique_ptr<Owner>>> owners;
    const auto open_all = [&] {
      const auto parallelism = static_cast<std::uint32_t>(1 + random.below(3));
      const KeyGroupLayout layout{.parallelism = parallelism, .max_parallelism = kGroups};
      owners.clear();
      for (std::uint32_t i = 0; i < parallelism; ++i) {
        const KeyGroupRange groups = layout.range_of(SubtaskIndex(i));
        owners.emplace_back(groups, std::make_unique<Owner>());
        owners.back().second->open(world, groups);
      }
    };
    const auto owner_of = [&](std::int64_t key) -> Owner& {
      const KeyGroup group = key_group_of(hash_key(key), kGroups);
      for (auto& [groups, owner] : owners) {
        if (groups.contains(group)) return *owner;
      }
      return *owners.front().second;
    };
    open_all();
    for (int step = 0; step < 20'000; ++step) {
      const auto key = static_cast<std::int64_t>(random.below(4'000));
      Owner& owner = owner_of(key);
      owner.at(key);
      auto& [value, list] = model[key];
      ASSERT_EQ(owner.value.value_or(0), value) << "seed " << seed << ", step " << step;
      ASSERT_TRUE(std::ranges::equal(owner.list.values(), list)) << "seed " << seed;
      switch (random.below(6)) {
        case 0:
          owner.value.reset();
          value = 0;
          break;
        case 1:
          owner.list.clear();
          list.clear();
          break;
        case 2:
          owner.list.add(step);
          list.push_back(step);
          break;
        default:
          owner.value = step;
          value = step;
      }
      if (random.chance(0.0005)) {
        world.restored.clear();
        for (auto& [groups, of_groups] : owners) world.restored.push_back(of_groups->checkpoint());
        if (random.chance(0.7)) open_all();
      }
    }
  }
}

}  // namespace
}  // namespace millrace::detail
