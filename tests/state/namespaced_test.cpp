// State of a key and a namespace.
#include "millrace/state/namespaced.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "millrace/core/random.h"
#include "millrace/state/list_state.h"
#include "millrace/state/timers.h"
#include "millrace/state/value_state.h"
#include "state/state_fixture.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using Pair = Namespaced<std::string, Timestamp>;

Pair pair_of(std::string key, std::int64_t window) { return {key, Timestamp(window * 1s)}; }

struct Owner : OwnerUnderTest<Pair> {
  ValueState<std::int64_t> value{*this, "value"};
  ListState<std::string> list{*this, "list"};
};

TEST(Namespaced, IsHashedByItsKeyAloneWhereThatDecidesTheKeyGroup) {
  const std::uint64_t hash = hash_key(std::string("alice"));
  const std::uint64_t one = hash_of_key(pair_of("alice", 1));
  const std::uint64_t two = hash_of_key(pair_of("alice", 2));
  EXPECT_EQ(one >> 32, hash >> 32);
  EXPECT_EQ(two >> 32, hash >> 32);
  EXPECT_NE(one, two) << "or they would stand in each other's way in the table";
}

TEST(Namespaced, KeepsTheNamespacesOfAKeyApart) {
  StateWorld world;
  Owner owner;
  owner.open(world);
  for (const std::int64_t window : {1, 2}) {
    owner.at(pair_of("alice", window));
    owner.value = window;
    owner.list.add("a");
    if (window == 2) owner.list.add("b");
  }
  owner.at(pair_of("alice", 1));
  EXPECT_EQ(*owner.value, 1);
  EXPECT_THAT(owner.list.values(), ElementsAre("a"));
  owner.at(pair_of("alice", 2));
  EXPECT_THAT(owner.list.values(), ElementsAre("a", "b"));
  owner.clear_current();
  EXPECT_FALSE(owner.value.has_value());
  EXPECT_TRUE(owner.list.empty());
  owner.at(pair_of("alice", 1));
  EXPECT_EQ(*owner.value, 1) << "the other one stays";
  owner.at(pair_of("alice", 3));
  EXPECT_FALSE(owner.value.has_value());
}

TEST(Namespaced, IsLookedUpInGroups) {
  StateWorld world;
  Owner owner;
  owner.open(world);
  NamespacedKeys<std::string, Timestamp> pairs;
  for (int round = 0; round < 2; ++round) {
    pairs.clear();
    for (std::int64_t i = 0; !pairs.full(); ++i) {
      pairs.add(std::to_string(i % 50), Timestamp(i / 50 * 1s));
    }
    ASSERT_EQ(pairs.size(), kMostKeys);
    owner.begin_group(pairs.current());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      owner.current_keys().index = static_cast<std::uint32_t>(i);
      EXPECT_EQ(owner.value.value_or(-1), round == 0 ? -1 : static_cast<std::int64_t>(i));
      owner.value = static_cast<std::int64_t>(i);
    }
    owner.end_group();
  }
  EXPECT_EQ(pairs[51].key, "1");
  EXPECT_EQ(pairs[51].space, Timestamp(1s));
  EXPECT_EQ(owner.keyed_state().rows_held(), kMostKeys);
}

// Windows come and go, in little memory, over checkpoints and changes of parallelism.
TEST(Namespaced, AgreesWithAModelUnderEvictionAndRescaling) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Random random(seed);
    StateWorld world;
    world.memory = std::size_t{1} << (10 + random.below(8));
    std::map<std::pair<std::string, std::int64_t>, std::vector<std::string>> model;
    std::vector<std::pair<KeyGroupRange, std::unique_ptr<Owner>>> owners;
    const auto open_all = [&](std::uint32_t parallelism) {
      const KeyGroupLayout layout{.parallelism = parallelism, .max_parallelism = kGroups};
      owners.clear();
      for (std::uint32_t i = 0; i < parallelism; ++i) {
        const KeyGroupRange groups = layout.range_of(SubtaskIndex(i));
        owners.emplace_back(groups, std::make_unique<Owner>());
        owners.back().second->open(world, groups);
      }
    };
    open_all(1);
    for (int step = 0; step < 10'000; ++step) {
      const std::string key = "key " + std::to_string(random.below(100));
      const auto window = static_cast<std::int64_t>(random.below(20));
      const KeyGroup group = key_group_of(hash_key(key), kGroups);
      for (auto& [groups, owner] : owners) {
        if (!groups.contains(group)) continue;
        owner->at(pair_of(key, window));
        std::vector<std::string>& list = model[{key, window}];
        ASSERT_EQ(owner->value.value_or(0), static_cast<std::int64_t>(list.size()))
            << "seed " << seed << ", step " << step;
        ASSERT_TRUE(std::ranges::equal(owner->list.values(), list)) << "seed " << seed;
        if (random.chance(0.1)) {
          owner->clear_current();
          list.clear();
        } else {
          list.push_back(std::to_string(step));
          owner->list.add(list.back());
          owner->value.edit() += 1;
        }
      }
      if (!random.chance(0.001)) continue;
      world.restored.clear();
      for (auto& [groups, owner] : owners) world.restored.push_back(owner->checkpoint());
      open_all(static_cast<std::uint32_t>(1 + random.below(3)));
    }
  }
}

TEST(Namespaced, HasTimers) {
  StateWorld world;
  for (int round = 0; round < 2; ++round) {
    Owner owner;
    KeyTimers<Pair> timers(owner);
    owner.open(world);
    ASSERT_TRUE(timers.open());
    if (round == 0) {
      owner.at(pair_of("alice", 2));
      timers.at(Timestamp(2s));
      owner.at(pair_of("alice", 1));
      timers.at(Timestamp(1s));
      world.restored = {owner.checkpoint()};
      continue;
    }
    ASSERT_TRUE(timers.is_due(Timestamp(1s)));
    const auto fired = timers.take_next();
    ASSERT_NE(fired.key, nullptr);
    EXPECT_EQ(fired.key->key, "alice");
    EXPECT_EQ(fired.key->space, Timestamp(1s));
    EXPECT_FALSE(timers.is_due(Timestamp(1s)));
    EXPECT_TRUE(timers.is_due(Timestamp(2s)));
  }
}

}  // namespace
}  // namespace millrace::detail
