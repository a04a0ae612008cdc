#include "millrace/coordination/adaptive_parallelism.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using Situation = AdaptiveParallelism::Situation;

std::uint32_t one_each(std::uint32_t parallelism) { return parallelism; }
// A second slot sharing group, of tasks whose parallelism is fixed.
std::uint32_t three_more(std::uint32_t parallelism) { return parallelism + 3; }

class AdaptiveParallelismTest : public testing::Test {
 protected:
  std::optional<std::uint32_t> at(std::chrono::seconds time, const Situation& situation) {
    return adaptive_.decide(situation, one_each, time);
  }

  AdaptiveParallelism adaptive_{10s};
};

TEST_F(AdaptiveParallelismTest, MakesDoWithFewerSlotsAfterAWhile) {
  const Situation lacks{.waits = true, .now = 8, .wanted = 8, .slots = 5};
  EXPECT_EQ(at(0s, lacks), std::nullopt);
  EXPECT_EQ(at(9s, lacks), std::nullopt);
  EXPECT_EQ(at(10s, lacks), 5U);
  EXPECT_EQ(at(11s, lacks), std::nullopt) << "that takes its time";
}

TEST_F(AdaptiveParallelismTest, TakesWhatThereIsThen) {
  EXPECT_EQ(at(0s, {.waits = true, .now = 8, .wanted = 8, .slots = 2}), std::nullopt);
  EXPECT_EQ(at(10s, {.waits = true, .now = 8, .wanted = 8, .slots = 3}), 3U);
}

TEST_F(AdaptiveParallelismTest, WaitsWhereThereIsNoSlotOrEnoughOfThem) {
  for (const std::uint32_t slots : {0U, 8U, 9U}) {
    const Situation waits{.waits = true, .now = 8, .wanted = 8, .slots = slots};
    EXPECT_EQ(at(0s, waits), std::nullopt);
    EXPECT_EQ(at(60s, waits), std::nullopt) << slots;
  }
}

TEST_F(AdaptiveParallelismTest, TakesMoreSlotsUpToWhatIsWanted) {
  const Situation more{.now = 3, .wanted = 8, .slots = 20};
  EXPECT_EQ(at(0s, more), std::nullopt);
  EXPECT_EQ(at(10s, more), 8U);
  EXPECT_EQ(at(20s, {.now = 8, .wanted = 8, .slots = 20}), std::nullopt);
}

TEST_F(AdaptiveParallelismTest, BeginsToCountAnewWhenSlotsGoMeanwhile) {
  EXPECT_EQ(at(0s, {.now = 3, .wanted = 8, .slots = 5}), std::nullopt);
  EXPECT_EQ(at(5s, {.now = 3, .wanted = 8, .slots = 3}), std::nullopt);
  EXPECT_EQ(at(6s, {.now = 3, .wanted = 8, .slots = 5}), std::nullopt);
  EXPECT_EQ(at(12s, {.now = 3, .wanted = 8, .slots = 5}), std::nullopt);
  EXPECT_EQ(at(16s, {.now = 3, .wanted = 8, .slots = 5}), 5U);
}

TEST_F(AdaptiveParallelismTest, RunsOnWhenASlotIsLost) {
  EXPECT_EQ(at(0s, {.now = 8, .wanted = 8, .slots = 5}), std::nullopt);
  EXPECT_EQ(at(60s, {.now = 8, .wanted = 8, .slots = 5}), std::nullopt) << "it does not wait";
}

TEST(GreatestParallelism, IsWhatTheSlotsAreEnoughFor) {
  EXPECT_EQ(greatest_parallelism(8, 100, one_each), 8U);
  EXPECT_EQ(greatest_parallelism(8, 7, one_each), 7U);
  EXPECT_EQ(greatest_parallelism(8, 1, one_each), 1U);
  EXPECT_EQ(greatest_parallelism(8, 0, one_each), 0U);
  EXPECT_EQ(greatest_parallelism(8, 6, three_more), 3U);
  EXPECT_EQ(greatest_parallelism(8, 3, three_more), 0U);
}

}  // namespace
}  // namespace millrace::detail
