#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "connectors/drive.h"
#include "connectors/payment.h"
#include "millrace/connectors/values/collection.h"
#include "millrace/connectors/values/sequence.h"

namespace millrace::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Collection, EmitsItsValuesInOrder) {
  EXPECT_THAT(records_of(collection({3, 1, 2})), ElementsAre(3, 1, 2));
  EXPECT_THAT(records_of(collection<std::string>({"a", "b"})), ElementsAre("a", "b"));
  EXPECT_THAT(records_of(collection(std::vector<Payment>{{"a", 1, {}}})), SizeIs(1));
  EXPECT_THAT(records_of(collection<int>({})), IsEmpty());
}

TEST(Collection, GoesOnAfterARestore) {
  std::vector<std::int64_t> values(100);
  std::iota(values.begin(), values.end(), 0);
  EXPECT_EQ(records_of(collection(values), {.limit = 7, .restore_after_each_poll = true}), values);
}

TEST(Collection, IsBoundedAndHasOneSubtask) {
  EXPECT_TRUE(collection({1}).bounded);
  EXPECT_TRUE(collection({1}).single);
}

std::vector<std::int64_t> integers(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> values;
  for (std::int64_t value = first; value <= last; ++value) values.push_back(value);
  return values;
}

TEST(Sequence, HoldsBothEnds) {
  EXPECT_THAT(records_of(sequence(-1, 2)), ElementsAre(-1, 0, 1, 2));
  EXPECT_THAT(records_of(sequence(5, 5)), ElementsAre(5));
  EXPECT_THAT(records_of(sequence(5, 4)), IsEmpty());
}

TEST(Sequence, IsTheSameAtAnyParallelismAndOverRestores) {
  for (const std::uint32_t parallelism : {1, 2, 3, 7, 200}) {
    EXPECT_EQ(records_of(sequence(1, 100), {.parallelism = parallelism}), integers(1, 100));
    EXPECT_EQ(records_of(sequence(1, 100),
                         {.parallelism = parallelism, .limit = 3, .restore_after_each_poll = true}),
              integers(1, 100));
  }
}

TEST(Sequence, ItsPartsAreAboutEqual) {
  detail::SequenceSource source(0, 9);
  auto splits = source.discover(4);
  ASSERT_TRUE(splits);
  EXPECT_THAT(*splits, ElementsAre(detail::SequenceSplit{0, 3}, detail::SequenceSplit{3, 3},
                                   detail::SequenceSplit{6, 2}, detail::SequenceSplit{8, 2}));
}

TEST(Sequence, ReachesTheEndsOfItsType) {
  using Limits = std::numeric_limits<std::int64_t>;
  EXPECT_THAT(records_of(sequence(Limits::max() - 1, Limits::max())),
              ElementsAre(Limits::max() - 1, Limits::max()));
  detail::SequenceSource all(Limits::min(), Limits::max());
  auto splits = all.discover(2);
  ASSERT_TRUE(splits);
  EXPECT_EQ((*splits)[0].next, Limits::min());
  EXPECT_EQ((*splits)[1].next, 0);
}

}  // namespace
}  // namespace millrace::test
