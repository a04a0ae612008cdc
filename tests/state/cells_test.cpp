// What keys have in memory, and what of it is written.
#include "millrace/state/cells.h"

#include <gtest/gtest.h>

#include <map>

#include "millrace/core/random.h"
#include "millrace/state/list_state.h"
#include "millrace/state/map_state.h"
#include "state/state_fixture.h"

namespace millrace::detail {
namespace {

using Numbers = std::map<std::int64_t, std::int64_t>;

struct Owner : OwnerUnderTest<std::int64_t> {
  Numbers entries() const {
    Numbers entries;
    for (const auto& [entry, number] : map) entries[entry] = number;
    return entries;
  }

  ListState<std::int64_t> list{*this, "list"};
  MapState<std::int64_t, std::int64_t> map{*this, "map"};
};

TEST(Collections, AreNotWrittenBecauseTheyWereRead) {
  StateWorld world;
  {
    Owner owner;
    owner.open(world);
    owner.at(1);
    for (std::int64_t number = 0; number < 200; ++number) {
      owner.list.add(number);
      owner.map.put(number, number);
    }
    world.restored = {owner.checkpoint()};
  }
  Owner owner;
  owner.open(world);
  owner.at(1);
  EXPECT_EQ(owner.list.size(), 200U);
  EXPECT_EQ(owner.map.size(), 200U);
  const std::size_t before = world.stores.written;
  (void)owner.checkpoint();
  EXPECT_EQ(world.stores.written, before);
}

using Cell = MapCell<std::int64_t, std::int64_t>;

TEST(MapCell, KeepsNoAccountOfEntriesThatCameAndWentBetweenTwoSaves) {
  Cell cell;
  cell.edit(-1) = 1;
  for (std::int64_t entry = 0; entry < 100'000; ++entry) {
    cell.edit(entry) = 1;
    cell.erase(entry);
    cell.edit(-2) = 1;  // the same one again and again
    cell.erase(-2);
  }
  EXPECT_EQ(cell.entries.size(), 1U);
  EXPECT_LT(cell.changes.size(), 100U);
  EXPECT_LT(cell.heap(), 10'000U);
}

TEST(MapCell, CountsTheMemoryOfItsChanges) {
  Cell cell;
  for (std::int64_t entry = 0; entry < 1'000; ++entry) cell.edit(entry) = 1;
  const std::size_t heap = cell.heap();
  cell.changes = std::vector<std::int64_t>();
  EXPECT_GE(heap, cell.heap() + 1'000 * sizeof(std::int64_t));
}

// Entries that come, change and go, among checkpoints that are gone on from, against a model.
TEST(MapState, LosesNothingWhateverHappens) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    StateWorld world;
    auto owner = std::make_unique<Owner>();
    owner->open(world);
    Numbers model;
    for (int step = 0; step < 5'000; ++step) {
      owner->at(1);
      const auto entry = static_cast<std::int64_t>(random.below(60));
      if (random.chance(0.5)) {
        owner->map.put(entry, step);
        model[entry] = step;
      } else {
        owner->map.erase(entry);
        model.erase(entry);
      }
      if (random.chance(0.002)) {
        owner->map.clear();
        model.clear();
      }
      if (!random.chance(0.01)) continue;
      world.restored = {owner->checkpoint()};
      if (random.chance(0.5)) {
        owner = std::make_unique<Owner>();
        owner->open(world);
      }
      owner->at(1);
      ASSERT_EQ(owner->entries(), model) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace millrace::detail
