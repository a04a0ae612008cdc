#include "millrace/state/state_metrics.h"

#include <gtest/gtest.h>

#include "millrace/state/list_state.h"
#include "millrace/state/value_state.h"
#include "state/state_fixture.h"

namespace millrace::detail {
namespace {

struct Owner : OwnerUnderTest<std::int64_t> {
  ValueState<std::int64_t> value{*this, "value"};
  ListState<std::int64_t> list{*this, "list"};
};

void put(Owner& owner, std::int64_t first, std::int64_t end) {
  for (std::int64_t key = first; key < end; ++key) {
    owner.at(key);
    owner.value = key;
  }
  owner.end_group();
}

TEST(StateMetrics, CountsRowsAndLookups) {
  StateWorld world;
  Owner owner;
  owner.open(world);
  StateMetrics metrics;
  owner.keyed_state().report(metrics);
  EXPECT_EQ(metrics.rows.value(), 0);
  put(owner, 0, 100);
  put(owner, 0, 50);
  owner.at(7);
  owner.list.add(1);
  owner.keyed_state().report(metrics);
  EXPECT_EQ(metrics.rows.value(), 101);
  EXPECT_GE(metrics.bytes.value(), 100 * 16);
  EXPECT_EQ(metrics.lookups.value(), 151U);
  EXPECT_EQ(metrics.database_reads.value(), 0U);
  EXPECT_EQ(metrics.evicted_rows.value(), 0U);
  owner.keyed_state().report(metrics);
  EXPECT_EQ(metrics.lookups.value(), 151U) << "a report changes nothing";
}

TEST(StateMetrics, CountsWhatLeavesTheMemoryAndWhatIsReadAgain) {
  StateWorld world;
  world.memory = 64 << 10;
  Owner owner;
  owner.open(world);
  put(owner, 0, 20'000);
  StateMetrics metrics;
  owner.keyed_state().report(metrics);
  const std::uint64_t reads = metrics.database_reads.value();
  EXPECT_LE(metrics.bytes.value(), 64 << 10);
  EXPECT_EQ(static_cast<std::uint64_t>(metrics.rows.value()) + metrics.evicted_rows.value(),
            20'000U);
  EXPECT_GT(metrics.unwritten_bytes.value(), 0) << "less than is worth handing over";
  put(owner, 0, 1'000);
  owner.keyed_state().report(metrics);
  EXPECT_EQ(metrics.lookups.value(), 21'000U);
  EXPECT_EQ(world.stores.asked, 0U) << "all was found on its way there";
  (void)owner.checkpoint();
  put(owner, 1'000, 2'000);
  owner.keyed_state().report(metrics);
  EXPECT_GE(metrics.database_reads.value(), reads + 900);
  EXPECT_EQ(metrics.database_reads.value(), world.stores.asked);
}

TEST(StateMetrics, CountsTheBytesAndTheTimeOfCheckpoints) {
  StateWorld world;
  Owner owner;
  owner.open(world);
  put(owner, 0, 1'000);
  StateMetrics metrics;
  owner.keyed_state().report(metrics);
  EXPECT_EQ(metrics.checkpoint_bytes.value(), 0);
  const KeyedSnapshot snapshot = owner.checkpoint();
  owner.keyed_state().report(metrics);
  ASSERT_EQ(snapshot.files.size(), 1U);
  const auto bytes = static_cast<std::int64_t>(snapshot.files.front().bytes);
  EXPECT_GT(bytes, 1'000 * 16);
  EXPECT_EQ(metrics.checkpoint_bytes.value(), bytes);
  EXPECT_EQ(metrics.uploaded_bytes.value(), static_cast<std::uint64_t>(bytes));
  EXPECT_EQ(metrics.unwritten_bytes.value(), 0);
  EXPECT_GE(metrics.checkpoint_milliseconds.value(), 3) << "two pieces of rows, and the end";
  EXPECT_LE(metrics.checkpoint_milliseconds.value(), 10);
}

}  // namespace
}  // namespace millrace::detail
