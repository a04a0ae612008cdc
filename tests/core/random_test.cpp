#include "millrace/core/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace millrace {
namespace {

using testing::ElementsAre;

TEST(Random, GivesTheSameNumbersEverywhere) {
  Random random(0);
  const std::vector<std::uint64_t> numbers{random(), random(), random(), random()};
  EXPECT_THAT(numbers, ElementsAre(11091344671253066420u, 13793997310169335082u,
                                   1900383378846508768u, 7684712102626143532u));
  EXPECT_EQ(Random(42).next(), 1546998764402558742u);
}

TEST(Random, CanBeUsedInConstantExpressions) {
  constexpr std::uint64_t kFirst = Random(42).next();
  EXPECT_EQ(kFirst, Random(42).next());
}

TEST(Random, StaysBelowItsLimit) {
  Random random(1);
  for (const std::uint64_t limit : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{10},
                                    (std::uint64_t{1} << 63) + 1, Random::max()}) {
    for (int i = 0; i < 1'000; ++i) EXPECT_LT(random.below(limit), limit);
  }
}

TEST(Random, GivesEachNumberBelowTheLimitAsOften) {
  Random random(2);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts[random.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);
}

TEST(Random, HasNoBiasWhereTheModuloWould) {
  Random random(3);
  const std::uint64_t limit = std::uint64_t{3} << 62;  // next() % limit favours the low third
  int low = 0;
  for (int i = 0; i < 30'000; ++i) low += random.below(limit) < (std::uint64_t{1} << 62);
  EXPECT_NEAR(low, 10'000, 400);
}

TEST(RandomDeathTest, RefusesALimitOfZero) {
  Random random(1);
  EXPECT_DEATH((void)random.below(0), "below 0");
}

TEST(Random, IsUniformBetweenZeroAndOne) {
  Random random(4);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, TakesItsChancesAsOftenAsAsked) {
  Random random(5);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += random.chance(0.25);
  EXPECT_NEAR(hits, 2'500, 200);
  EXPECT_FALSE(random.chance(0));
  EXPECT_TRUE(random.chance(1));
}

TEST(Random, ServesTheStandardLibrary) {
  std::vector<int> numbers{1, 2, 3, 4, 5, 6, 7, 8};
  std::shuffle(numbers.begin(), numbers.end(), Random(7));
  EXPECT_THAT(numbers, testing::UnorderedElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

}  // namespace
}  // namespace millrace
