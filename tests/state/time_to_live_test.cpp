// What expires of each kind of state, and comes back from a checkpoint as old as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "millrace/state/aggregating_state.h"
#include "millrace/state/list_state.h"
#include "millrace/state/map_state.h"
#include "state/state_fixture.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct Count {
  std::int64_t values = 0;
  void add(std::int64_t) { ++values; }
};

struct Owner : OwnerUnderTest<std::int64_t> {
  explicit Owner(TimeToLive time_to_live) : time(time_to_live) {}

  std::vector<std::int64_t> listed() const {
    const auto values = list.values();
    return {values.begin(), values.end()};
  }
  std::vector<std::int64_t> mapped() const {
    std::vector<std::int64_t> keys;
    for (const auto& [key, number] : map) keys.push_back(key);
    return keys;
  }
  std::size_t rows() const { return const_cast<Owner*>(this)->keyed_state().rows_held(); }

  TimeToLive time;
  ListState<std::int64_t> list{*this, "list", time};
  MapState<std::int64_t, std::int64_t> map{*this, "map", time};
  ReducingState<std::int64_t> most{
      *this, "most", [](std::int64_t a, std::int64_t b) { return std::max(a, b); }, time};
  AggregatingState<Count> count{*this, "count", time};
};

class TimeToLiveTest : public testing::Test {
 protected:
  // The key's states as the owner has them then.
  void go_to(Owner& owner, std::chrono::seconds time) {
    world_.clock.advance(time - world_.clock.monotonic());
    owner.at(kKey);
  }

  static constexpr std::int64_t kKey = 7;
  StateWorld world_;
};

TEST_F(TimeToLiveTest, ElementsAndEntriesExpireEachByItself) {
  Owner owner(expire_after(10s));
  owner.open(world_);
  for (const std::int64_t second : {0, 4, 8}) {
    go_to(owner, std::chrono::seconds(second));
    owner.list.add(second);
    owner.map.put(second, second);
  }
  go_to(owner, 9s);
  EXPECT_THAT(owner.listed(), ElementsAre(0, 4, 8));
  EXPECT_THAT(owner.mapped(), ElementsAre(0, 4, 8));
  go_to(owner, 14s);
  EXPECT_THAT(owner.listed(), ElementsAre(8));
  EXPECT_THAT(owner.mapped(), ElementsAre(8));
  EXPECT_FALSE(owner.map.contains(4));
  go_to(owner, 18s);
  EXPECT_THAT(owner.listed(), IsEmpty());
  EXPECT_THAT(owner.mapped(), IsEmpty());
}

TEST_F(TimeToLiveTest, WhatIsReducedAndAggregatedBeginsAnew) {
  Owner owner(expire_after(10s));
  owner.open(world_);
  go_to(owner, 0s);
  owner.most.add(5);
  owner.count.add(5);
  go_to(owner, 9s);
  owner.most.add(3);  // and lives on
  owner.count.add(3);
  go_to(owner, 18s);
  EXPECT_EQ(*owner.most, 5);
  EXPECT_EQ(owner.count->values, 2);
  go_to(owner, 19s);
  EXPECT_FALSE(owner.most);
  EXPECT_FALSE(owner.count);
  owner.most.add(1);
  owner.count.add(1);
  EXPECT_EQ(*owner.most, 1);
  EXPECT_EQ(owner.count->values, 1);
}

TEST_F(TimeToLiveTest, ReadingCountsWhereThatIsAskedFor) {
  Owner owner(expire_after(10s).from_last_read());
  owner.open(world_);
  go_to(owner, 0s);
  owner.list.add(1);
  owner.map.put(1, 1);
  owner.map.put(2, 2);
  owner.most.add(1);
  for (const auto time : {6s, 12s, 18s}) {
    go_to(owner, time);
    EXPECT_THAT(owner.listed(), ElementsAre(1)) << time.count();
    EXPECT_THAT(owner.mapped(), ElementsAre(1, 2)) << time.count();
    EXPECT_TRUE(owner.most) << time.count();
  }
  go_to(owner, 24s);
  EXPECT_TRUE(owner.map.contains(2));
  go_to(owner, 30s);
  EXPECT_THAT(owner.mapped(), ElementsAre(2)) << "of the other nobody has asked for 12 s";
  EXPECT_THAT(owner.listed(), IsEmpty());
}

TEST_F(TimeToLiveTest, ReadingWhatIsAggregatedCountsAndIsKept) {
  {
    Owner owner(expire_after(10s).from_last_read());
    owner.open(world_);
    go_to(owner, 0s);
    owner.count.add(1);
    for (const auto time : {6s, 12s, 18s}) {
      go_to(owner, time);
      ASSERT_TRUE(owner.count) << time.count();
      EXPECT_EQ(owner.count->values, 1);
    }
    world_.restored = {owner.checkpoint()};
  }
  Owner owner(expire_after(10s).from_last_read());
  owner.open(world_);
  go_to(owner, 27s);
  ASSERT_TRUE(owner.count);
  EXPECT_EQ(owner.count->values, 1);
  go_to(owner, 37s);
  EXPECT_FALSE(owner.count);
  owner.count.add(1);
  EXPECT_EQ(owner.count->values, 1) << "it begins anew";
}

// Its rows would have a time at their end, or none, that nobody expects there.
TEST_F(TimeToLiveTest, CannotBeDeclaredOrRemovedOverARestore) {
  const auto status_of = [&](TimeToLive before, TimeToLive now) {
    world_.restored.clear();
    Owner owner(before);
    owner.open(world_);
    world_.restored = {owner.checkpoint()};
    return Owner(now).try_open(world_);
  };
  const Status declared = status_of({}, expire_after(10s));
  ASSERT_FALSE(declared);
  EXPECT_EQ(declared.error(),
            unsupported("state 'list' was written with the time to live 'none' and is declared "
                        "with 'some' now; declare it as it was, or under another name"));
  const Status removed = status_of(expire_after(10s), {});
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error(),
            unsupported("state 'list' was written with the time to live 'some' and is declared "
                        "with 'none' now; declare it as it was, or under another name"));
}

TEST_F(TimeToLiveTest, MayBeAnotherOneAfterARestore) {
  {
    Owner owner(expire_after(10s));
    owner.open(world_);
    go_to(owner, 0s);
    owner.most.add(5);
    world_.restored = {owner.checkpoint()};
  }
  Owner owner(expire_after(20s));
  owner.open(world_);
  go_to(owner, 19s);
  EXPECT_TRUE(owner.most);
  go_to(owner, 20s);
  EXPECT_FALSE(owner.most);
}

TEST_F(TimeToLiveTest, WhatComesBackFromACheckpointIsAsOldAsItWas) {
  {
    Owner owner(expire_after(10s));
    owner.open(world_);
    for (const std::int64_t second : {0, 5}) {
      go_to(owner, std::chrono::seconds(second));
      owner.list.add(second);
      owner.map.put(second, second);
    }
    owner.most.add(5);
    world_.restored = {owner.checkpoint()};
  }
  Owner owner(expire_after(10s));
  owner.open(world_);
  go_to(owner, 12s);
  EXPECT_THAT(owner.listed(), ElementsAre(5));
  EXPECT_THAT(owner.mapped(), ElementsAre(5));
  EXPECT_TRUE(owner.most);
  go_to(owner, 15s);
  EXPECT_THAT(owner.listed(), IsEmpty());
  EXPECT_FALSE(owner.most);
}

// Of elements out of order some would be returned though they have expired.
TEST_F(TimeToLiveTest, AClockThatWasAheadKeepsNothingForLonger) {
  Owner owner(expire_after(600s));
  owner.open(world_);
  go_to(owner, 3'600s);
  owner.list.add(1);
  go_to(owner, 0s);
  owner.list.add(2);
  EXPECT_THAT(owner.listed(), ElementsAre(1, 2));
  go_to(owner, 599s);
  EXPECT_THAT(owner.listed(), ElementsAre(1, 2));
  go_to(owner, 600s);
  EXPECT_THAT(owner.listed(), IsEmpty());
}

TEST_F(TimeToLiveTest, NothingIsKeptOfAListThatWasFoundExpired) {
  Owner owner(expire_after(10s));
  owner.open(world_);
  for (std::int64_t key = 0; key < 100; ++key) {
    owner.at(key);
    owner.list.add(key);
  }
  EXPECT_EQ(owner.rows(), 100u);
  world_.clock.advance(20s);
  for (std::int64_t key = 0; key < 100; ++key) {
    owner.at(key);
    EXPECT_TRUE(owner.list.empty());
  }
  EXPECT_EQ(owner.rows(), 0u);
}

// A database that forgets what has expired changes nothing of what is found.
TEST_F(TimeToLiveTest, TheDatabaseNeedNotKeepWhatHasExpired) {
  world_.stores.forgets = true;
  constexpr std::int64_t kChunk = 64;  // of a list's elements, a row each
  std::vector<std::int64_t> young;
  {
    Owner owner(expire_after(10s));
    owner.open(world_);
    for (std::int64_t second = 0; second < 3; ++second) {
      go_to(owner, std::chrono::seconds(4 * second));
      for (std::int64_t i = 0; i < kChunk; ++i) {
        owner.list.add(second * kChunk + i);
        if (second > 0) young.push_back(second * kChunk + i);
      }
      owner.map.put(second, second);
    }
    owner.most.add(5);
    world_.restored = {owner.checkpoint()};
  }
  for (int round = 0; round < 2; ++round) {  // the second time from what the first has written
    Owner owner(expire_after(10s));
    owner.open(world_);
    go_to(owner, 12s);
    EXPECT_EQ(owner.listed(), young);
    EXPECT_THAT(owner.mapped(), ElementsAre(1, 2));
    EXPECT_EQ(*owner.most, 5);
    EXPECT_EQ(world_.stores.forgotten, 2u) << "a chunk and an entry";
    world_.stores.forgotten = round == 0 ? 1 : 0;  // of the list nothing is left to be forgotten
    owner.list.add(-round);
    young.push_back(-round);
    world_.restored = {owner.checkpoint()};
  }
}

TEST_F(TimeToLiveTest, AssignedElementsLiveFromThenOn) {
  Owner owner(expire_after(10s));
  owner.open(world_);
  go_to(owner, 0s);
  owner.list.add(1);
  go_to(owner, 8s);
  owner.list.assign({2, 3});
  go_to(owner, 17s);
  EXPECT_THAT(owner.listed(), ElementsAre(2, 3));
  owner.list.assign({});
  EXPECT_THAT(owner.listed(), IsEmpty());
}

}  // namespace
}  // namespace millrace::detail
