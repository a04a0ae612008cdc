#include "millrace/core/records/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>

#include "support/allocation_count.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;

constexpr Timestamp at(std::int64_t milliseconds) { return Timestamp(Duration(milliseconds)); }

std::string text(std::size_t i) { return std::string(30 + i % 7, static_cast<char>('a' + i % 26)); }

void fill_with_texts(Batch<std::string>& batch, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    batch.fill([&](std::string& record) { record.assign(30 + i % 7, 'x'); });
  }
}

// How many allocations a call makes.
template <class Call>
std::size_t count_allocations(Call&& call) {
  const std::size_t before = allocation_count();
  call();
  return allocation_count() - before;
}

TEST(Batch, HoldsValuesInOrder) {
  Batch<std::string> batch;
  EXPECT_TRUE(batch.empty());
  const std::string copied = text(1);
  batch.push(copied);
  batch.push(text(2));
  batch.fill([](std::string& record) { record = "filled"; });
  EXPECT_THAT(batch.values(), ElementsAre(text(1), text(2), "filled"));
  EXPECT_EQ(batch.size(), 3u);
  EXPECT_EQ(copied, text(1));
}

TEST(Batch, CountsItsBytes) {
  Batch<std::string> batch;
  batch.push(std::string("abc"));
  batch.fill([](std::string& record) { record = "de"; });
  EXPECT_EQ(batch.bytes(), 2 * sizeof(std::string) + 5);
  std::string* added = batch.extend(2);
  added[0] = "f";
  added[1] = "ghi";
  batch.account_for(2);
  EXPECT_EQ(batch.bytes(), 4 * sizeof(std::string) + 9);
  batch.clear();
  EXPECT_EQ(batch.bytes(), 0u);
  Batch<int> numbers;
  numbers.extend(3);
  numbers.account_for(3);
  numbers.shrink(1);
  EXPECT_EQ(numbers.bytes(), 2 * sizeof(int));
}

TEST(Batch, HasATimestampForEveryRecordOrForNone) {
  Batch<int> batch;
  batch.push(1);
  EXPECT_FALSE(batch.stamped());
  EXPECT_EQ(batch.timestamp(0), kMinTimestamp);
  batch.clear();
  batch.push(1, at(5));
  batch.push(2, at(3));
  EXPECT_TRUE(batch.stamped());
  EXPECT_THAT(batch.timestamps(), ElementsAre(at(5), at(3)));
  batch.clear();
  EXPECT_FALSE(batch.stamped());
}

TEST(Batch, KeepsTimestampsInStepWhenItIsAppendedTo) {
  Batch<int> stamped;
  stamped.push(1, at(1));
  stamped.push(2, at(2));
  Batch<int> plain;
  plain.push(3);
  Batch<int> joined;
  joined.append(plain, 0, 1, false);
  EXPECT_FALSE(joined.stamped());
  joined.append(stamped, 0, 2, false);
  joined.append(plain, 0, 1, false);
  joined.append(stamped, 1, 2, false);
  EXPECT_THAT(joined.values(), ElementsAre(3, 1, 2, 3, 2));
  EXPECT_THAT(joined.timestamps(), ElementsAre(kMinTimestamp, at(1), at(2), kMinTimestamp, at(2)));
}

TEST(Batch, AppendsCopiesOrTakes) {
  Batch<std::string> from;
  for (std::size_t i = 0; i < 4; ++i) from.push(text(i));
  Batch<std::string> to;
  to.append(from, 1, 3, false);
  EXPECT_THAT(to.values(), ElementsAre(text(1), text(2)));
  EXPECT_THAT(from.values(), ElementsAre(text(0), text(1), text(2), text(3)));
  EXPECT_EQ(to.bytes(), 2 * sizeof(std::string) + text(1).size() + text(2).size());
  to.append(from, 3, 4, true);
  EXPECT_EQ(to.values()[2], text(3));
  EXPECT_NE(from.values()[3], text(3));
  EXPECT_EQ(from.size(), 4u);
  to.append(from, 2, 2, true);
  EXPECT_EQ(to.size(), 3u);
}

TEST(Batch, TakesRecordsThatCannotBeCopied) {
  Batch<std::unique_ptr<int>> from;
  from.push(std::make_unique<int>(7));
  Batch<std::unique_ptr<int>> to;
  to.append(from, 0, 1, true);
  EXPECT_EQ(*to.values()[0], 7);
  EXPECT_EQ(from.values()[0], nullptr);
}

TEST(BatchDeathTest, RefusesToCopyRecordsThatCannotBeCopied) {
  Batch<std::unique_ptr<int>> from;
  from.push(nullptr);
  Batch<std::unique_ptr<int>> to;
  EXPECT_DEATH(to.append(from, 0, 1, false), "move-only");
}

TEST(Batch, KeepsItsValuesWhenItGrows) {
  Batch<std::string> batch;
  for (std::size_t i = 0; i < 1'000; ++i) batch.push(text(i));
  for (std::size_t i = 0; i < 1'000; ++i) ASSERT_EQ(batch.values()[i], text(i));
}

TEST(Batch, KeepsTheBuffersOfItsStrings) {
  Batch<std::string> batch;
  const std::string longest(200, 'x');
  batch.push(longest);
  const char* buffer = batch.values()[0].data();
  const std::string shorter = text(0);
  batch.clear();
  batch.push(shorter);
  EXPECT_EQ(batch.values()[0].data(), buffer) << "a copy is assigned into what was there";
  batch.clear();
  batch.fill([&](std::string& record) { record = longest; });
  EXPECT_EQ(batch.values()[0].data(), buffer);
}

TEST(Batch, AllocatesNothingOnceItIsWarm) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < kBatchRecords; ++i) texts.push_back(text(i));
  Batch<std::string> batch;
  Batch<std::string> next;
  const auto round = [&] {
    for (const std::string& record : texts) batch.push(record, at(1));
    next.append(batch, 0, batch.size(), true);
    batch.clear();
    fill_with_texts(batch, kBatchRecords);
    next.clear();
    next.append(batch, 0, batch.size(), false);
    batch.clear();
    next.clear();
  };
  round();
  round();
  EXPECT_EQ(count_allocations(round), 0u);
}

// What the records of an emptied batch hold.
template <class T>
std::size_t kept_by(Batch<T>& batch) {
  std::size_t bytes = 0;
  batch.clear();
  for (T* record = batch.extend(4'096); record != batch.values().data() + 4'096; ++record) {
    bytes += heap_footprint<HeapBytes::kReserved>(*record);
  }
  batch.clear();
  return bytes;
}

struct Document {
  std::string title;
  std::vector<std::string> pages;
};

constexpr std::size_t kHuge = 1 << 20;

// Now and then a record is huge, and over time each place in the batch has held such a one.
TEST(Batch, DoesNotKeepWhatHugeRecordsHeld) {
  Batch<std::string> pushed;
  Batch<std::string> filled;
  Batch<std::string> refused;
  Batch<std::string> extended;
  Batch<Document> documents;
  for (std::size_t round = 0; round < 200; ++round) {
    for (std::size_t i = 0; i < 200; ++i) {
      const std::string record(i == round ? kHuge : 36, 'x');
      pushed.push(record);
      filled.fill([&](std::string& place) { place = record; });
      refused.fill_if([&](std::string& place) {
        place = record;
        return i != round;
      });
      *extended.extend(1) = record;
      extended.account_for(1);
      documents.fill([&](Document& place) { place.pages.assign(2, record); });
    }
    pushed.clear();
    filled.clear();
    refused.clear();
    extended.clear();
    documents.clear();
  }
  EXPECT_LE(kept_by(pushed), kKeptBytes);
  EXPECT_LE(kept_by(filled), kKeptBytes);
  EXPECT_LE(kept_by(refused), kKeptBytes);
  EXPECT_LE(kept_by(extended), kKeptBytes);
  EXPECT_LE(kept_by(documents), kKeptBytes);
}

TEST(Batch, DoesNotKeepWhatHugeRecordsHeldThatPassThroughOthers) {
  Batch<std::string> first;
  Batch<std::string> appended;
  Batch<std::string> pushed;
  for (std::size_t round = 0; round < 400; ++round) {
    for (std::size_t i = 0; i < 200; ++i) first.push(text(i));
    first.values()[round % 200] = std::string(kHuge, 'x');
    appended.append(first, 0, 100, true);
    for (std::string& record : first.values().subspan(100)) pushed.push(std::move(record));
    first.clear();
    appended.clear();
    pushed.clear();
  }
  EXPECT_LE(kept_by(first) + kept_by(appended) + kept_by(pushed), 3 * kKeptBytes);
}

TEST(Batch, KeepsTheBuffersOfOrdinaryRecordsWhenItDropsHugeOnes) {
  Batch<std::string> batch;
  const std::string ordinary(36, 'x');
  const std::string huge(kHuge, 'x');
  const auto round = [&](const std::string& first) {
    batch.push(first);
    for (std::size_t i = 1; i < kBatchRecords; ++i) batch.push(ordinary);
    batch.clear();
  };
  round(ordinary);
  EXPECT_EQ(count_allocations([&] {
              for (int i = 0; i < 100; ++i) round(ordinary);
            }),
            0u);
  EXPECT_EQ(count_allocations([&] {
              for (int i = 0; i < 100; ++i) round(huge);
            }),
            100u);
}

TEST(Batch, GrowsInFewStepsHoweverLittleIsAppended) {
  Batch<int> one;
  one.push(1);
  Batch<int> batch;
  EXPECT_LE(count_allocations([&] {
              for (int i = 0; i < 1'000; ++i) batch.append(one, 0, 1, false);
            }),
            11u);
  EXPECT_EQ(std::accumulate(batch.values().begin(), batch.values().end(), 0), 1'000);
}

TEST(Batch, MakesEmptyBatchesOfItsType) {
  Batch<std::string> batch;
  batch.push(text(1));
  const BatchPtr other = batch.make_empty();
  EXPECT_TRUE(other->empty());
  EXPECT_NE(dynamic_cast<Batch<std::string>*>(&*other), nullptr);
}

struct Counted {
  inline static int alive = 0;
  Counted() { ++alive; }
  ~Counted() { --alive; }
  Counted(Counted&&) = delete;
  Counted& operator=(Counted&&) = default;
};

TEST(BatchPtr, OwnsABatchTogetherWithItsCopies) {
  BatchPtr first = make_batch<Counted>();
  static_cast<Batch<Counted>&>(*first).extend(3);
  EXPECT_TRUE(first.unique());
  BatchPtr second = first;
  EXPECT_FALSE(first.unique());
  EXPECT_EQ(&*first, &*second);
  BatchPtr third = std::move(second);
  EXPECT_FALSE(second);  // NOLINT(bugprone-use-after-move): it is empty
  first = BatchPtr();
  EXPECT_TRUE(third.unique());
  EXPECT_EQ(Counted::alive, 3);
  third = BatchPtr();
  EXPECT_EQ(Counted::alive, 0);
}

TEST(BatchPtr, SurvivesAssignmentToItself) {
  BatchPtr batch = make_batch<int>();
  const BatchPtr& same = batch;
  batch = same;
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch.unique());
}

}  // namespace
}  // namespace millrace::detail
