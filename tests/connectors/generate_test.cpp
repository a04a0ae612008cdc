#include "millrace/connectors/values/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "connectors/drive.h"

namespace millrace::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

SourceSpec<std::uint64_t> indices(GenerateOptions options) {
  return generate<std::uint64_t>(options, [](std::uint64_t index) { return index; });
}

SourceSpec<std::uint64_t> random_numbers(GenerateOptions options) {
  return generate<std::uint64_t>(
      options, [](std::uint64_t index, Random& random) { return index ^ random.next(); });
}

TEST(Generate, CallsTheFunctionForEachIndex) {
  EXPECT_THAT(records_of(indices({.count = 3})), ElementsAre(0, 1, 2));
  EXPECT_THAT(records_of(indices({.count = 0})), SizeIs(0));
}

TEST(Generate, TheFunctionMayFillInPlace) {
  const auto spec = generate<std::string>(
      {.count = 3}, [](std::uint64_t index, Random&, std::string& out) { out.assign(index, 'x'); });
  EXPECT_THAT(records_of(spec), ElementsAre("", "x", "xx"));
}

TEST(Generate, IsTheSameAtAnyParallelismAndOverRestores) {
  auto expected = records_of(random_numbers({.count = 100, .seed = 7}));
  std::sort(expected.begin(), expected.end());
  for (const std::uint32_t parallelism : {1, 3, 200}) {
    auto records =
        records_of(random_numbers({.count = 100, .seed = 7}),
                   {.parallelism = parallelism, .limit = 7, .restore_after_each_poll = true});
    std::sort(records.begin(), records.end());
    EXPECT_EQ(records, expected);
  }
}

TEST(Generate, SeedsAndIndicesGiveDifferentNumbers) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (std::uint64_t index = 0; index < 100; ++index) {
      Random random(detail::generate_seed(seed, index));
      seen.insert(random.next());
    }
  }
  EXPECT_THAT(seen, SizeIs(10'000));
}

TEST(Generate, IsBoundedIfThereIsACount) {
  EXPECT_TRUE(indices({.count = 3}).bounded);
  EXPECT_FALSE(indices({}).bounded);
}

TEST(Generate, WithoutEndItFillsEachBatch) {
  SourceDrive<std::uint64_t> drive(indices({}));
  ASSERT_TRUE(drive.start());
  for (int i = 0; i < 3; ++i) {
    Result<Poll> poll = drive.poll();
    ASSERT_TRUE(poll);
    EXPECT_EQ(poll->kind(), Poll::Kind::kMore);
  }
  EXPECT_EQ(drive.records().size(), 3 * kBatchRecords);
}

TEST(Generate, WithARateEachRecordComesWhenItIsDue) {
  SourceDrive<std::uint64_t> drive(indices({.rate_per_second = 10}));
  ASSERT_TRUE(drive.start());
  for (std::uint64_t expected = 1; expected <= 5; ++expected) {
    Result<Poll> poll = drive.poll();
    ASSERT_TRUE(poll);
    EXPECT_THAT(drive.records(), SizeIs(expected));
    ASSERT_EQ(poll->kind(), Poll::Kind::kIdle);
    EXPECT_NEAR(static_cast<double>(poll->pause().count()), 1e8, 1e3);
    drive.clock().advance(poll->pause());
  }
}

TEST(Generate, CatchesUpAfterItWasHeldUp) {
  SourceDrive<std::uint64_t> drive(indices({.rate_per_second = 10}));
  ASSERT_TRUE(drive.start());
  ASSERT_TRUE(drive.poll());
  drive.clock().advance(1050ms);
  ASSERT_TRUE(drive.poll());
  EXPECT_THAT(drive.records(), SizeIs(11));
}

TEST(Generate, CatchesUpABatchAtATime) {
  SourceDrive<std::uint64_t> drive(indices({.rate_per_second = 1e6}));
  ASSERT_TRUE(drive.start());
  ASSERT_TRUE(drive.poll());
  drive.clock().advance(1s);
  Result<Poll> poll = drive.poll();
  ASSERT_TRUE(poll);
  EXPECT_EQ(poll->kind(), Poll::Kind::kMore);
  EXPECT_THAT(drive.records(), SizeIs(1 + kBatchRecords));
}

TEST(Generate, TheRateIsThatOfAllSubtasks) {
  const auto spec = indices({.rate_per_second = 100});
  SourceDrive<std::uint64_t> drive(spec, {.parallelism = 4});  // reads the first split only
  ASSERT_TRUE(drive.start());
  ASSERT_TRUE(drive.poll());
  drive.clock().advance(990ms);
  ASSERT_TRUE(drive.poll());
  EXPECT_THAT(drive.records(), SizeIs(25));
}

TEST(Generate, ARestoredSourceDoesNotCatchUpOnItsDowntime) {
  SourceDrive<std::uint64_t> drive(indices({.rate_per_second = 10}));
  ASSERT_TRUE(drive.start());
  ASSERT_TRUE(drive.poll());
  drive.clock().advance(1h);
  ASSERT_TRUE(drive.restart());
  ASSERT_TRUE(drive.poll());
  EXPECT_THAT(drive.records(), ElementsAre(0, 1));
}

TEST(Generate, ARateBeyondAllCountsMakesAllDue) {
  for (const double rate : {1e20, 1e300}) {
    const detail::Pace pace(rate, 1'000, 1h);
    EXPECT_EQ(pace.due(1h), 1'001);
    EXPECT_EQ(pace.due(2h), UINT64_MAX);
  }
}

TEST(Generate, ARateThatIsNotPositiveIsRefused) {
  EXPECT_THAT(error_of(indices({.rate_per_second = 0})), HasSubstr("give a positive number"));
  EXPECT_THAT(error_of(indices({.rate_per_second = -1})), HasSubstr(".rate_per_second = -1"));
}

}  // namespace
}  // namespace millrace::test
