#include "millrace/operators/rolling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>

#include "millrace/core/random.h"
#include "millrace/operators/key_selector.h"
#include "operators/sale.h"
#include "support/operator_harness.h"

namespace millrace::detail {
namespace {

template <class T, class Selector, class Combine>
auto rolling(Selector key, Combine combine) {
  return [=] { return std::make_unique<RollingOperator<T, Selector, Combine>>(key, combine); };
}

constexpr MemberKey<Reading, std::int32_t> kSensor{&Reading::sensor};
constexpr MemberKey<Sale, std::string> kShop{&Sale::shop};

HarnessOptions at_end() {
  HarnessOptions options{.any_order = true};
  options.context.emission = Emission::kAtEnd;
  return options;
}

Lines sorted(Lines lines) {
  std::ranges::sort(lines);
  return lines;
}

std::vector<Reading> readings() {
  return {{1, 5}, {2, 7}, {1, 3}, {1, 8}, {2, 7}, {3, -1}, {2, 9}, {1, 3}};
}

TEST(RollingSum, EmitsTheSumSoFarForEveryRecord) {
  OperatorHarness harness(rolling<Reading>(kSensor, SumOf<Reading, std::int64_t>{&Reading::value}),
                          {output_of<Reading>()});
  harness.batch(0, readings()).finish();
  EXPECT_EQ(
      harness.run()[0],
      lines_of<Reading>({{1, 5}, {2, 7}, {1, 8}, {1, 16}, {2, 14}, {3, -1}, {2, 23}, {1, 19}}));
}

TEST(RollingSum, EmitsEachKeyOnceAtTheEndOfABatchJob) {
  OperatorHarness harness(rolling<Reading>(kSensor, SumOf<Reading, std::int64_t>{&Reading::value}),
                          {output_of<Reading>()}, at_end());
  harness.batch(0, readings()).watermark(at(5)).batch<Reading>(0, {{4, 4}}).finish();
  EXPECT_EQ(harness.run()[0], sorted(lines_of<Reading>({{1, 19}, {2, 23}, {3, -1}, {4, 4}})));
}

struct Small {
  std::int32_t sensor = 0;
  std::int8_t value = 0;
};

TEST(RollingSum, WrapsAroundBeyondTheRangeOfAnInteger) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  OperatorHarness harness(rolling<Reading>(kSensor, SumOf<Reading, std::int64_t>{&Reading::value}),
                          {output_of<Reading>()});
  harness.batch<Reading>(0, {{1, kMost}, {1, 1}, {1, -1}});
  EXPECT_EQ(harness.run()[0], lines_of<Reading>({{1, kMost}, {1, kLeast}, {1, kMost}}));
  OperatorHarness small(rolling<Small>(MemberKey<Small, std::int32_t>{&Small::sensor},
                                       SumOf<Small, std::int8_t>{&Small::value}),
                        {output_of<Small>()});
  small.batch<Small>(0, {{1, 127}, {1, 2}});
  EXPECT_EQ(small.run()[0], lines_of<Small>({{1, 127}, {1, -127}}));
}

TEST(RollingSum, KeepsTimestamps) {
  OperatorHarness harness(rolling<Sale>(kShop, SumOf<Sale, std::int64_t>{&Sale::amount}),
                          {output_of<Sale>()});
  harness.stamped<Sale>(0,
                        {{{"a", 1, "x"}, at(9)}, {{"b", 2, "y"}, at(4)}, {{"a", 3, "z"}, at(7)}});
  EXPECT_EQ(harness.run()[0],
            (lines_of<Stamped<Sale>>(
                {{{"a", 1, "x"}, at(9)}, {{"b", 2, "y"}, at(4)}, {{"a", 4, "x"}, at(7)}})));
}

// As in Flink: min and max change the member alone, min_by and max_by keep the whole record.
TEST(RollingMin, ChangesTheMemberAlone) {
  OperatorHarness harness(rolling<Sale>(kShop, MinOf<Sale, std::int64_t>{&Sale::amount}),
                          {output_of<Sale>()});
  harness.batch<Sale>(0, {{"a", 5, "first"}, {"a", 3, "less"}, {"a", 4, "more"}});
  EXPECT_EQ(harness.run()[0],
            lines_of<Sale>({{"a", 5, "first"}, {"a", 3, "first"}, {"a", 3, "first"}}));
}

TEST(RollingMax, ChangesTheMemberAlone) {
  OperatorHarness harness(rolling<Sale>(kShop, MaxOf<Sale, std::int64_t>{&Sale::amount}),
                          {output_of<Sale>()});
  harness.batch<Sale>(0,
                      {{"a", 5, "first"}, {"a", 7, "more"}, {"b", 1, "other"}, {"a", 6, "less"}});
  EXPECT_EQ(
      harness.run()[0],
      lines_of<Sale>({{"a", 5, "first"}, {"a", 7, "first"}, {"b", 1, "other"}, {"a", 7, "first"}}));
}

TEST(RollingMinBy, KeepsTheFirstOfTheLeastRecords) {
  OperatorHarness harness(rolling<Sale>(kShop, MinByOf<Sale, std::int64_t>{&Sale::amount}),
                          {output_of<Sale>()});
  harness.batch<Sale>(0,
                      {{"a", 5, "1"}, {"a", 3, "2"}, {"a", 3, "3"}, {"a", 9, "4"}, {"a", 2, "5"}});
  EXPECT_EQ(
      harness.run()[0],
      lines_of<Sale>({{"a", 5, "1"}, {"a", 3, "2"}, {"a", 3, "2"}, {"a", 3, "2"}, {"a", 2, "5"}}));
}

TEST(RollingMaxBy, KeepsTheFirstOfTheGreatestRecords) {
  OperatorHarness harness(rolling<Sale>(kShop, MaxByOf<Sale, std::int64_t>{&Sale::amount}),
                          {output_of<Sale>()});
  harness.batch<Sale>(0,
                      {{"a", 5, "1"}, {"a", 5, "2"}, {"a", 9, "3"}, {"a", 1, "4"}, {"a", 9, "5"}});
  EXPECT_EQ(
      harness.run()[0],
      lines_of<Sale>({{"a", 5, "1"}, {"a", 5, "1"}, {"a", 9, "3"}, {"a", 9, "3"}, {"a", 9, "3"}}));
}

template <class F>
ReduceBy<Sale, F> reduce_by(F function) {
  return {function};
}

TEST(RollingReduce, GivesTheFirstRecordAsItIsAndThenWhatTheFunctionMakes) {
  const auto join = [](const Sale& a, const Sale& b) {
    return Sale{a.shop, a.amount + b.amount, a.note + "+" + b.note};
  };
  OperatorHarness harness(rolling<Sale>(kShop, reduce_by(join)), {output_of<Sale>()});
  harness.batch<Sale>(0, {{"a", 1, "x"}, {"b", 2, "y"}, {"a", 3, "z"}, {"a", 4, "w"}});
  EXPECT_EQ(harness.run()[0],
            lines_of<Sale>({{"a", 1, "x"}, {"b", 2, "y"}, {"a", 4, "x+z"}, {"a", 8, "x+z+w"}}));
}

// The state belongs to the key of the records, whatever the accumulated record looks like.
TEST(RollingReduce, MayLoseTheKey) {
  const auto keyless = [](const Sale& a, const Sale& b) {
    return Sale{"", a.amount + b.amount, b.shop};
  };
  OperatorHarness harness(rolling<Sale>(kShop, reduce_by(keyless)), {output_of<Sale>()});
  harness.batch<Sale>(0, {{"a", 1}, {"b", 2}, {"a", 3}, {"b", 4}, {"a", 5}});
  EXPECT_EQ(harness.run()[0],
            lines_of<Sale>({{"a", 1, ""}, {"b", 2, ""}, {"", 4, "a"}, {"", 6, "b"}, {"", 9, "a"}}));
}

template <class T, class F>
FunctionKey<T, F> key_by(F function) {
  return {function};
}

TEST(RollingSum, MayChangeWhatTheKeyIsMadeOf) {
  const auto parity = key_by<Reading>([](const Reading& r) { return r.value % 2; });
  OperatorHarness harness(rolling<Reading>(parity, SumOf<Reading, std::int64_t>{&Reading::value}),
                          {output_of<Reading>()});
  harness.batch<Reading>(0, {{0, 1}, {0, 2}, {0, 3}, {0, 5}, {0, 4}});
  EXPECT_EQ(harness.run()[0], lines_of<Reading>({{0, 1}, {0, 2}, {0, 4}, {0, 9}, {0, 6}}));
}

TEST(RollingSum, TakesCompositeKeys) {
  const MembersKey<Sale, std::string, std::string> key{{&Sale::shop, &Sale::note}};
  OperatorHarness harness(rolling<Sale>(key, SumOf<Sale, std::int64_t>{&Sale::amount}),
                          {output_of<Sale>()});
  harness.batch<Sale>(0,
                      {{"a", 1, "x"}, {"a", 2, "y"}, {"b", 4, "x"}, {"a", 8, "x"}, {"b", 16, "x"}});
  EXPECT_EQ(
      harness.run()[0],
      lines_of<Sale>({{"a", 1, "x"}, {"a", 2, "y"}, {"b", 4, "x"}, {"a", 9, "x"}, {"b", 20, "x"}}));
}

TEST(RollingSum, TakesStringsThatAFunctionMakes) {
  const auto initial = key_by<Sale>([](const Sale& s) { return s.shop.substr(0, 1); });
  OperatorHarness harness(rolling<Sale>(initial, SumOf<Sale, std::int64_t>{&Sale::amount}),
                          {output_of<Sale>()}, at_end());
  harness.batch<Sale>(0, {{"anna", 1}, {"ben", 2}, {"aldi", 4}, {"bob", 8}, {"cut", 16}}).finish();
  EXPECT_EQ(harness.run()[0],
            sorted(lines_of<Sale>({{"anna", 5, ""}, {"ben", 10, ""}, {"cut", 16, ""}})));
}

TEST(RollingSum, AgreesWithAModelOverManyKeysAndLargeBatches) {
  Random random(7);
  std::vector<Reading> readings;
  std::vector<Reading> expected;
  std::map<std::int32_t, std::int64_t> sums;
  for (int i = 0; i < 700; ++i) {
    const Reading reading{static_cast<std::int32_t>(random.below(90)),
                          static_cast<std::int64_t>(random.below(100))};
    readings.push_back(reading);
    expected.push_back({reading.sensor, sums[reading.sensor] += reading.value});
  }
  OperatorHarness harness(rolling<Reading>(kSensor, SumOf<Reading, std::int64_t>{&Reading::value}),
                          {output_of<Reading>()});
  harness.batch(0, readings);
  EXPECT_EQ(harness.run()[0], lines_of(expected));
}

template <class T, class Selector>
void expect_to_hash_as_its_key(const Selector& selector, const T& record) {
  EXPECT_EQ(selector.hash(record), hash_key(typename Selector::Key(selector.key(record))));
  EXPECT_TRUE(selector.matches(selector.key(record), record));
}

TEST(KeySelector, HashesARecordAsTheKeyThatATableKeeps) {
  const Sale record = sale("a shop", 3);
  expect_to_hash_as_its_key(kShop, record);
  expect_to_hash_as_its_key(
      MembersKey<Sale, std::string, std::int64_t>{{&Sale::shop, &Sale::amount}}, record);
  expect_to_hash_as_its_key(MembersKey<Sale, std::int64_t>{{&Sale::amount}}, record);
  expect_to_hash_as_its_key(key_by<Sale>([](const Sale& s) { return s.note; }), record);
  expect_to_hash_as_its_key(
      key_by<Sale>([](const Sale& s) -> const std::string& { return s.note; }), record);
}

TEST(KeySelector, TellsKeysApart) {
  const MembersKey<Sale, std::string, std::int64_t> key{{&Sale::shop, &Sale::amount}};
  EXPECT_FALSE(key.matches({"a", 1}, sale("a", 2)));
  EXPECT_FALSE(key.matches({"b", 2}, sale("a", 2)));
  EXPECT_FALSE(kShop.matches("b", sale("a", 2)));
}

}  // namespace
}  // namespace millrace::detail
