#include "millrace/core/records/key_group.h"

#include <gtest/gtest.h>

#include <limits>

#include "millrace/core/records/hash.h"

namespace millrace {
namespace {

constexpr std::uint32_t kMaxima[] = {1, 2, 3, 7, 128, 129, 1'000, 4'096, 32'768};
constexpr std::uint32_t kParallelisms[] = {1, 2, 3, 5, 7, 16, 100, 127, 128, 999, 32'768};

template <class Use>
void for_each_layout(Use use) {
  for (std::uint32_t max_parallelism : kMaxima) {
    for (std::uint32_t parallelism : kParallelisms) {
      if (parallelism <= max_parallelism) use(KeyGroupLayout{parallelism, max_parallelism});
    }
  }
}

TEST(KeyGroupLayout, PutsEveryGroupIntoTheRangeOfExactlyItsSubtask) {
  for_each_layout([](KeyGroupLayout layout) {
    std::uint32_t next = 0;
    for (std::uint32_t i = 0; i < layout.parallelism; ++i) {
      const KeyGroupRange range = layout.range_of(SubtaskIndex(i));
      ASSERT_EQ(range.first, KeyGroup(next)) << i << " of " << layout.parallelism;
      for (; next <= range.last.value(); ++next) {
        ASSERT_EQ(layout.subtask_of(KeyGroup(next)), SubtaskIndex(i));
        ASSERT_TRUE(range.contains(KeyGroup(next)));
      }
    }
    ASSERT_EQ(next, layout.max_parallelism);
  });
}

TEST(KeyGroupLayout, GivesRangesWhoseSizesDifferByOneAtMost) {
  for_each_layout([](KeyGroupLayout layout) {
    const std::uint32_t least = layout.max_parallelism / layout.parallelism;
    for (std::uint32_t i = 0; i < layout.parallelism; ++i) {
      const std::uint32_t size = layout.range_of(SubtaskIndex(i)).size();
      ASSERT_TRUE(size == least || size == least + 1) << size;
    }
  });
}

TEST(KeyGroupLayoutDeathTest, RefusesMoreSubtasksThanGroups) {
  EXPECT_DEATH((void)(KeyGroupLayout{129, 128}.range_of(SubtaskIndex(0))), "maximum parallelism");
}

TEST(KeyGroup, CoversContiguousRangesOfTheHash) {
  constexpr std::uint64_t kMostHash = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(key_group_of(0, 128), KeyGroup(0));
  EXPECT_EQ(key_group_of(kMostHash, 128), KeyGroup(127));
  EXPECT_EQ(key_group_of(kMostHash / 128, 128), KeyGroup(0));
  EXPECT_EQ(key_group_of(kMostHash / 128 + 1, 128), KeyGroup(1));
}

TEST(KeyGroup, SpreadsSequentialKeysEvenly) {
  std::uint32_t count[128] = {};
  for (std::int64_t key = 0; key < 128'000; ++key)
    ++count[key_group_of(hash_key(key), 128).value()];
  for (std::uint32_t in_group : count) EXPECT_NEAR(in_group, 1'000, 150);
}

TEST(KeyGroup, CountsAsFlinkDoesUnlessTheJobSaysOtherwise) {
  EXPECT_EQ(default_max_parallelism(1), 128u);
  EXPECT_EQ(default_max_parallelism(85), 128u);
  EXPECT_EQ(default_max_parallelism(86), 256u);
  EXPECT_EQ(default_max_parallelism(20'000), 32'768u);
  EXPECT_EQ(default_max_parallelism(32'768), 32'768u);
}

}  // namespace
}  // namespace millrace
