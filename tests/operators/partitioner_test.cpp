#include "millrace/operators/partitioner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "millrace/operators/key_selector.h"
#include "operators/sale.h"
#include "support/records_as_text.h"

namespace millrace::detail {
namespace {

using testing::Each;
using testing::ElementsAre;

template <class T, class Choose>
std::unique_ptr<Partitioner> scatter_by(Choose choose) {
  return std::make_unique<ScatterBy<T, Choose>>(std::move(choose));
}

std::unique_ptr<Partitioner> by_shop(std::uint32_t channels, std::uint32_t max_parallelism = 128) {
  using Selector = MemberKey<Sale, std::string>;
  return scatter_by<Sale>(
      KeyChooser<Sale, Selector>(Selector{&Sale::shop}, max_parallelism, channels));
}

template <class T>
std::vector<BatchPtr> empty_channels(std::size_t count) {
  std::vector<BatchPtr> channels;
  for (std::size_t i = 0; i < count; ++i) channels.push_back(make_batch<T>());
  return channels;
}

std::vector<std::size_t> sizes(const std::vector<BatchPtr>& channels) {
  std::vector<std::size_t> sizes;
  for (const BatchPtr& channel : channels) sizes.push_back(channel->size());
  return sizes;
}

template <class T>
Lines all_lines(const std::vector<BatchPtr>& channels) {
  Lines lines;
  for (const BatchPtr& channel : channels) {
    for (std::string& line : lines_of<T>(*channel)) lines.push_back(std::move(line));
  }
  std::ranges::sort(lines);
  return lines;
}

std::vector<Sale> some_sales(int count) {
  std::vector<Sale> sales;
  for (int i = 0; i < count; ++i) sales.push_back(sale("shop number " + std::to_string(i % 37), i));
  return sales;
}

// Every kind, over batches with and without timestamps, moved and copied.
TEST(Partitioner, SendsEveryRecordExactlyOnceWithItsTimestamp) {
  const auto make = [](int kind) -> std::unique_ptr<Partitioner> {
    switch (kind) {
      case 0:
        return by_shop(3);
      case 1:
        return scatter_by<Sale>(RandomChooser<Sale>(1, 3));
      case 2: {
        const auto choose = [](const Sale& s, std::uint32_t) { return s.amount; };
        return scatter_by<Sale>(CustomChooser<Sale, decltype(choose)>(choose, 3));
      }
      case 3:
        return std::make_unique<RoundRobin>(1);
      default:
        return std::make_unique<ToFirst>();
    }
  };
  for (int kind = 0; kind < 5; ++kind) {
    for (const bool take : {false, true}) {
      SCOPED_TRACE(kind);
      const auto partitioner = make(kind);
      std::vector<BatchPtr> channels = empty_channels<Sale>(3);
      Lines expected;
      std::int64_t number = 0;
      for (const bool stamped : {false, true, false, true, true, false}) {
        const BatchPtr batch = make_batch<Sale>();
        for (int i = 0; i < 40; ++i, ++number) {
          const Sale record = sale("shop " + std::to_string(number % 7), number);
          static_cast<Batch<Sale>&>(*batch).push(record);
          if (stamped) static_cast<Batch<Sale>&>(*batch).stamp(at(number));
          expected.push_back(line_of(Stamped<Sale>{record, stamped ? at(number) : kMinTimestamp}));
        }
        const Lines before = lines_of<Sale>(*batch);
        partitioner->scatter(*batch, take, channels);
        if (!take) {
          EXPECT_EQ(lines_of<Sale>(*batch), before);
        }
      }
      std::ranges::sort(expected);
      EXPECT_EQ(all_lines<Sale>(channels), expected);
      for (const BatchPtr& channel : channels) {
        if (!channel->empty()) {
          EXPECT_EQ(channel->timestamps().size(), channel->size());
        }
      }
    }
  }
}

TEST(Partitioner, CountsTheBytesOfWhatItSends) {
  std::vector<BatchPtr> channels = empty_channels<Sale>(2);
  const BatchPtr batch = batch_of(some_sales(50));
  const std::size_t bytes = batch->bytes();
  by_shop(2)->scatter(*batch, true, channels);
  EXPECT_EQ(channels[0]->bytes() + channels[1]->bytes(), bytes);
}

TEST(Partitioner, MovesRecordsThatCannotBeCopied) {
  const BatchPtr batch = make_batch<Parcel>();
  for (int i = 0; i < 6; ++i) static_cast<Batch<Parcel>&>(*batch).push(Parcel{i, nullptr});
  std::vector<BatchPtr> channels = empty_channels<Parcel>(2);
  scatter_by<Parcel>(RandomChooser<Parcel>(3, 2))->scatter(*batch, true, channels);
  EXPECT_EQ(channels[0]->size() + channels[1]->size(), 6u);
}

TEST(KeyChooser, SendsEachKeyToTheOwnerOfItsGroup) {
  for (const std::uint32_t parallelism : {1u, 2u, 3u, 7u, 128u}) {
    const KeyGroupLayout layout{.parallelism = parallelism, .max_parallelism = 128};
    std::vector<BatchPtr> channels = empty_channels<Sale>(parallelism);
    const BatchPtr batch = batch_of(some_sales(500));
    by_shop(parallelism)->scatter(*batch, false, channels);
    for (std::uint32_t i = 0; i < parallelism; ++i) {
      for (const Sale& record : static_cast<Batch<Sale>&>(*channels[i]).values()) {
        EXPECT_EQ(layout.subtask_of(key_group_of(hash_key(record.shop), 128)), SubtaskIndex(i));
      }
    }
  }
}

TEST(KeyChooser, KeepsTheOrderWithinAKey) {
  std::vector<BatchPtr> channels = empty_channels<Sale>(4);
  const auto partitioner = by_shop(4);
  for (int i = 0; i < 10; ++i) {
    std::vector<Sale> sales;
    for (int k = 0; k < 50; ++k) sales.push_back(sale(std::to_string(k % 9), i * 50 + k));
    partitioner->scatter(*batch_of(sales), true, channels);
  }
  for (const BatchPtr& channel : channels) {
    std::map<std::string, std::int64_t> last;
    for (const Sale& record : static_cast<Batch<Sale>&>(*channel).values()) {
      const auto [entry, is_new] = last.try_emplace(record.shop, -1);
      EXPECT_LT(entry->second, record.amount);
      entry->second = record.amount;
    }
  }
}

TEST(CustomChooser, TakesTheResultModulo) {
  const auto choose = [](std::int64_t i, std::uint32_t channels) {
    EXPECT_EQ(channels, 3u);
    return static_cast<std::int32_t>(i);
  };
  CustomChooser<std::int64_t, decltype(choose)> chooser(choose, 3);
  EXPECT_EQ(chooser(0), 0u);
  EXPECT_EQ(chooser(4), 1u);
  EXPECT_LT(chooser(-1), 3u);
}

TEST(RandomChooser, FollowsItsSeed) {
  const auto draw = [](std::uint64_t seed) {
    RandomChooser<std::int64_t> chooser(seed, 5);
    std::vector<std::uint32_t> drawn;
    for (int i = 0; i < 100; ++i) drawn.push_back(chooser(0));
    return drawn;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
  std::vector<int> counts(5);
  RandomChooser<std::int64_t> chooser(1, 5);
  for (int i = 0; i < 5'000; ++i) ++counts.at(chooser(0));
  EXPECT_THAT(counts, Each(testing::AllOf(testing::Gt(850), testing::Lt(1'150))));
}

TEST(RoundRobin, IsEvenOverManySmallBatches) {
  for (const std::size_t rows : {1u, 2u, 3u, 4u, 5u, 9u}) {
    RoundRobin partitioner(2);
    std::vector<BatchPtr> channels = empty_channels<std::int64_t>(4);
    for (int i = 0; i < 100; ++i) {
      const BatchPtr batch = batch_of(std::vector<std::int64_t>(rows));
      partitioner.scatter(*batch, true, channels);
      const std::vector<std::size_t> now = sizes(channels);
      ASSERT_LE(*std::ranges::max_element(now) - *std::ranges::min_element(now), 1u);
    }
    EXPECT_THAT(sizes(channels), Each(rows * 25));
  }
}

TEST(RoundRobin, BeginsWithItsFirstChannel) {
  RoundRobin partitioner(5);  // of three channels: the third
  std::vector<BatchPtr> channels = empty_channels<std::int64_t>(3);
  partitioner.scatter(*batch_of<std::int64_t>({1}), true, channels);
  EXPECT_THAT(sizes(channels), ElementsAre(0, 0, 1));
  partitioner.scatter(*batch_of<std::int64_t>({2, 3}), true, channels);
  EXPECT_THAT(sizes(channels), ElementsAre(1, 1, 1));
}

TEST(ToFirst, SendsAllToTheFirstChannel) {
  ToFirst partitioner;
  std::vector<BatchPtr> channels = empty_channels<std::int64_t>(3);
  partitioner.scatter(*batch_of<std::int64_t>({1, 2}), true, channels);
  EXPECT_THAT(sizes(channels), ElementsAre(2, 0, 0));
}

}  // namespace
}  // namespace millrace::detail
