#include "millrace/core/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

#include "millrace/core/random.h"

namespace millrace {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

// The nearest rank: the smallest value that a share `q` of all does not exceed.
std::int64_t exact_quantile(const std::vector<std::int64_t>& sorted, double q) {
  const double rank = std::ceil(q * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

// Values of every magnitude up to 2^(width of a draw), as latencies are.
std::vector<std::int64_t> random_values(Random& random, std::size_t count, std::uint64_t widest) {
  std::vector<std::int64_t> values(count);
  for (std::int64_t& value : values) {
    value = static_cast<std::int64_t>(random.next() >> (64 - 1 - random.below(widest)));
  }
  return values;
}

Histogram::Snapshot snapshot_of(const std::vector<std::int64_t>& values) {
  Histogram histogram;
  for (const std::int64_t value : values) histogram.record(value);
  return histogram.snapshot();
}

TEST(Counter, Counts) {
  Counter counter;
  counter.increment();
  counter.increment(41);
  EXPECT_EQ(counter.value(), 42u);
}

TEST(Counter, CanBeReadByAnotherThread) {
  Counter counter;
  std::thread writer([&] {
    for (int i = 0; i < 10'000; ++i) counter.increment();
  });
  for (std::uint64_t last = 0; last < 10'000;) {
    const std::uint64_t seen = counter.value();
    ASSERT_GE(seen, last);
    last = seen;
    std::this_thread::yield();
  }
  writer.join();
}

TEST(Gauge, HoldsTheLatestValue) {
  Gauge gauge;
  gauge.set(7);
  gauge.add(-10);
  EXPECT_EQ(gauge.value(), -3);
}

TEST(Histogram, IsZeroWhileNothingIsRecorded) {
  const auto snapshot = Histogram().snapshot();
  EXPECT_EQ(snapshot.count(), 0u);
  EXPECT_EQ(snapshot.min(), 0);
  EXPECT_EQ(snapshot.max(), 0);
  EXPECT_EQ(snapshot.mean(), 0);
  EXPECT_EQ(snapshot.quantile(0.5), 0);
}

TEST(Histogram, IsExactForSmallValues) {
  std::vector<std::int64_t> values(64);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i);
  const auto snapshot = snapshot_of(values);
  for (std::int64_t i = 1; i <= 64; ++i) {
    EXPECT_EQ(snapshot.quantile(static_cast<double>(i) / 64), i - 1);
  }
}

TEST(Histogram, IsExactForASingleValueOfAnySize) {
  for (int shift = 0; shift < 63; ++shift) {
    const std::int64_t value = kLargest >> shift;
    for (const double q : {0.0, 0.5, 1.0}) EXPECT_EQ(snapshot_of({value}).quantile(q), value);
  }
}

TEST(Histogram, KeepsQuantilesWithinOneSixtyFourth) {
  Random random(20);
  for (int round = 0; round < 200; ++round) {
    auto values = random_values(random, 1 + random.below(2'000), 1 + random.below(63));
    const auto snapshot = snapshot_of(values);
    std::sort(values.begin(), values.end());
    for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto exact = static_cast<double>(exact_quantile(values, q));
      ASSERT_NEAR(static_cast<double>(snapshot.quantile(q)), exact, exact / 64)
          << "round " << round << ", q " << q;
    }
  }
}

TEST(Histogram, KeepsCountExtremesAndMeanExactly) {
  const auto snapshot = snapshot_of({5, 1'000'003, 17, 17});
  EXPECT_EQ(snapshot.count(), 4u);
  EXPECT_EQ(snapshot.min(), 5);
  EXPECT_EQ(snapshot.max(), 1'000'003);
  EXPECT_DOUBLE_EQ(snapshot.mean(), 1'000'042.0 / 4);
}

TEST(Histogram, TakesTheExtremesOfItsRange) {
  const auto snapshot = snapshot_of({std::numeric_limits<std::int64_t>::min(), -1, kLargest});
  EXPECT_EQ(snapshot.min(), 0);
  EXPECT_EQ(snapshot.max(), kLargest);
  EXPECT_EQ(snapshot.quantile(0.5), 0);
  EXPECT_EQ(snapshot.quantile(1), kLargest);
}

TEST(Histogram, RecordsAValueManyTimesAtOnce) {
  Histogram once;
  once.record_times(70, 3);
  EXPECT_EQ(once.snapshot(), snapshot_of({70, 70, 70}));
}

TEST(Histogram, TakesSharesBeyondItsRangeForItsEnds) {
  const auto snapshot = snapshot_of({1, 2, 3});
  EXPECT_EQ(snapshot.quantile(-1), 1);
  EXPECT_EQ(snapshot.quantile(2), 3);
}

TEST(Histogram, ForgetsEverythingAtReset) {
  Histogram histogram;
  histogram.record(1'000);
  histogram.reset();
  EXPECT_EQ(histogram.snapshot(), Histogram::Snapshot());
  histogram.record(3);
  EXPECT_EQ(histogram.snapshot(), snapshot_of({3}));
}

TEST(Histogram, MergesAsIfItHadRecordedBoth) {
  Random random(21);
  const auto first = random_values(random, 500, 40);
  const auto second = random_values(random, 700, 30);
  std::vector<std::int64_t> both = first;
  both.insert(both.end(), second.begin(), second.end());

  Histogram histogram;
  histogram.merge(snapshot_of(first));
  histogram.merge(snapshot_of(second));
  auto merged = snapshot_of(first);
  merged.merge(snapshot_of(second));
  EXPECT_EQ(histogram.snapshot(), merged);

  const auto expected = snapshot_of(both);
  EXPECT_EQ(merged.count(), expected.count());
  EXPECT_EQ(merged.min(), expected.min());
  EXPECT_EQ(merged.max(), expected.max());
  EXPECT_DOUBLE_EQ(merged.mean(), expected.mean());
  for (const double q : {0.0, 0.5, 0.99}) EXPECT_EQ(merged.quantile(q), expected.quantile(q));
}

TEST(Histogram, StaysTheSameWhenAnEmptyOneIsMerged) {
  auto snapshot = snapshot_of({7, 9});
  snapshot.merge(Histogram::Snapshot());
  EXPECT_EQ(snapshot, snapshot_of({7, 9}));
}

TEST(Histogram, CanBeReadByAnotherThread) {
  constexpr std::uint64_t kCount = 20'000;
  Histogram histogram;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kCount; ++i) histogram.record(static_cast<std::int64_t>(i));
  });
  for (std::uint64_t seen = 0; seen < kCount;) {
    const auto snapshot = histogram.snapshot();
    ASSERT_GE(snapshot.count(), seen);
    seen = snapshot.count();
    ASSERT_LT(snapshot.quantile(0.99), static_cast<std::int64_t>(kCount * 65 / 64));
    std::this_thread::yield();
  }
  writer.join();
}

}  // namespace
}  // namespace millrace
