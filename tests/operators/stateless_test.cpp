#include "millrace/operators/stateless.h"

#include <gtest/gtest.h>

#include "operators/sale.h"
#include "support/operator_harness.h"

namespace millrace::detail {
namespace {

template <class In, class Out, class F>
auto map_by(F function) {
  return [function] { return std::make_unique<MapOperator<In, Out, F>>(function); };
}
template <class T, class F>
auto filter_by(F predicate) {
  return [predicate] { return std::make_unique<FilterOperator<T, F>>(predicate); };
}
template <class In, class Out, class F>
auto flat_map_by(F function) {
  return [function] { return std::make_unique<FlatMapOperator<In, Out, F>>(function); };
}

std::vector<Sale> some_sales() {
  std::vector<Sale> sales;
  for (int i = 0; i < 20; ++i) sales.push_back(sale("shop " + std::to_string(i % 3), i));
  return sales;
}

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

TEST(Map, GivesOneResultForEachRecord) {
  OperatorHarness harness(map_by<Sale, std::int64_t>([](const Sale& s) { return s.amount * 2; }),
                          {output_of<std::int64_t>()});
  harness.batch<Sale>(0, {sale("a", 1), sale("b", 2)}).batch<Sale>(0, {sale("c", 3)}).finish();
  EXPECT_EQ(harness.run()[0], lines_of<std::int64_t>({2, 4, 6}));
}

TEST(Map, MayGiveStringsAndWholeRecords) {
  OperatorHarness harness(map_by<Sale, Sale>([](const Sale& s) {
                            return Sale{s.note, -s.amount, s.shop};
                          }),
                          {output_of<Sale>()});
  harness.batch(0, some_sales());
  std::vector<Sale> expected;
  for (const Sale& s : some_sales()) expected.push_back({s.note, -s.amount, s.shop});
  EXPECT_EQ(harness.run()[0], lines_of(expected));
}

TEST(Map, KeepsTimestamps) {
  OperatorHarness harness(map_by<std::int64_t, std::int64_t>([](std::int64_t i) { return i + 1; }),
                          {output_of<std::int64_t>()});
  harness.stamped<std::int64_t>(0, {{1, at(10)}, {2, at(5)}, {3, at(-7)}, {4, at(40)}});
  EXPECT_EQ(harness.run()[0],
            (lines_of<Stamped<std::int64_t>>({{2, at(10)}, {3, at(5)}, {4, at(-7)}, {5, at(40)}})));
}

TEST(Map, TakesStampedAndUnstampedBatchesInTurn) {
  OperatorHarness harness(map_by<std::int64_t, std::int64_t>([](std::int64_t i) { return i; }),
                          {output_of<std::int64_t>()});
  harness.batch<std::int64_t>(0, {1, 2}).stamped<std::int64_t>(0, {{3, at(1)}});
  harness.batch<std::int64_t>(0, {4});
  EXPECT_EQ(harness.run()[0],
            (Lines{line_of<std::int64_t>(1), line_of<std::int64_t>(2),
                   line_of(Stamped<std::int64_t>{3, at(1)}), line_of<std::int64_t>(4)}));
}

TEST(Map, GoesOnWhereTheCursorStands) {
  MapOperator<std::int64_t, std::int64_t, std::int64_t (*)(std::int64_t)> map(
      [](std::int64_t i) { return i; });
  OutputRecorder recorder({output_of<std::int64_t>()}, kBatchRecords);
  const BatchPtr batch = batch_of<std::int64_t>({1, 2, 3});
  Cursor cursor{.batch = &*batch, .next = 1};
  ASSERT_TRUE(map.process(0, cursor, recorder.outputs()));
  recorder.collect(2);
  EXPECT_EQ(recorder.lines()[0], lines_of<std::int64_t>({2, 3}));
}

TEST(Map, StopsAtOutputsThatAreFullOfBytes) {
  const auto large = [](std::int64_t) { return std::string(100'000, 'x'); };
  MapOperator<std::int64_t, std::string, decltype(large)> map(large);
  OutputRecorder recorder({output_of<std::string>()}, kBatchRecords);
  const BatchPtr batch = batch_of(numbers(10));
  Cursor cursor{.batch = &*batch};
  Result<Progress> progress = map.process(0, cursor, recorder.outputs());
  ASSERT_TRUE(progress);
  EXPECT_EQ(*progress, Progress::kMore);
  EXPECT_EQ(recorder.outputs().get<std::string>(0).size(), 3u);
  EXPECT_EQ(cursor.next, 3u);
}

TEST(Map, GivesLargeRecordsInSeveralBatches) {
  OperatorHarness harness(
      map_by<std::int64_t, std::string>([](std::int64_t) { return std::string(100'000, 'x'); }),
      {output_of<std::string>()});
  harness.stamped<std::int64_t>(0, {{1, at(1)}, {2, at(2)}, {3, at(3)}, {4, at(4)}, {5, at(5)}});
  EXPECT_EQ(harness.run()[0].size(), 5u);
}

TEST(Filter, KeepsWhatThePredicateWants) {
  OperatorHarness harness(filter_by<std::int64_t>([](std::int64_t i) { return i % 3 == 1; }),
                          {output_of<std::int64_t>()});
  harness.batch(0, numbers(11)).batch<std::int64_t>(0, {7, 7, 9});
  EXPECT_EQ(harness.run()[0], lines_of<std::int64_t>({1, 4, 7, 10, 7, 7}));
}

TEST(Filter, MayKeepNothingOrEverything) {
  OperatorHarness nothing(filter_by<std::int64_t>([](std::int64_t) { return false; }),
                          {output_of<std::int64_t>()});
  nothing.batch(0, numbers(8));
  EXPECT_EQ(nothing.run()[0], Lines{});
  OperatorHarness all(filter_by<Sale>([](const Sale&) { return true; }), {output_of<Sale>()});
  all.batch(0, some_sales());
  EXPECT_EQ(all.run()[0], lines_of(some_sales()));
}

TEST(Filter, KeepsTheTimestampsOfWhatItKeeps) {
  OperatorHarness harness(filter_by<Reading>([](const Reading& r) { return r.value > 1; }),
                          {output_of<Reading>()});
  harness.stamped<Reading>(0, {{{1, 1}, at(1)}, {{1, 2}, at(2)}, {{2, 0}, at(3)}, {{2, 9}, at(4)}});
  harness.batch<Reading>(0, {{3, 1}, {3, 5}});
  EXPECT_EQ(harness.run()[0],
            (Lines{line_of(Stamped<Reading>{{1, 2}, at(2)}),
                   line_of(Stamped<Reading>{{2, 9}, at(4)}), line_of(Reading{3, 5})}));
}

TEST(Filter, LeavesRecordsThatOthersReadToThem) {  // the harness compares the input
  OperatorHarness harness(filter_by<Sale>([](const Sale& s) { return s.amount % 2 == 0; }),
                          {output_of<Sale>()});
  harness.batch(0, some_sales());
  EXPECT_EQ(harness.run()[0].size(), 10u);
}

BatchPtr some_parcels() {
  BatchPtr batch = make_batch<Parcel>();
  for (int i = 0; i < 5; ++i) {
    static_cast<Batch<Parcel>&>(*batch).push(
        Parcel{i, std::make_unique<std::string>("content " + std::to_string(i))});
  }
  return batch;
}

TEST(Filter, MovesRecordsThatCannotBeCopied) {
  OperatorHarness harness(filter_by<Parcel>([](const Parcel& p) { return p.number != 2; }),
                          {output_of<Parcel>()});
  harness.made<Parcel>(0, &some_parcels);
  Lines expected = lines_of<Parcel>(*some_parcels());
  expected.erase(expected.begin() + 2);
  EXPECT_EQ(harness.run()[0], expected);
}

TEST(FilterDeathTest, DoesNotRobOtherReadersOfRecordsThatCannotBeCopied) {
  const auto always = [](const Parcel&) { return true; };
  FilterOperator<Parcel, decltype(always)> filter(always);
  const BatchPtr batch = some_parcels();
  Cursor cursor{.batch = &*batch, .next = 0, .shared = true};
  OutputRecorder recorder({output_of<Parcel>()}, kBatchRecords);
  EXPECT_DEATH((void)filter.process(0, cursor, recorder.outputs()), "move-only");
}

TEST(FlatMap, GivesAnyNumberOfResults) {
  OperatorHarness harness(
      flat_map_by<std::int64_t, std::int64_t>([](std::int64_t i, Collector<std::int64_t>& out) {
        for (std::int64_t k = 0; k < i % 5; ++k) out.emit(10 * i + k);
      }),
      {output_of<std::int64_t>()}, {.most_per_record = 4});
  harness.batch(0, numbers(17)).finish();
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < 17; ++i) {
    for (std::int64_t k = 0; k < i % 5; ++k) expected.push_back(10 * i + k);
  }
  EXPECT_EQ(harness.run()[0], lines_of(expected));
}

TEST(FlatMap, StampsResultsAsTheirRecord) {
  OperatorHarness harness(flat_map_by<Sale, Sale>([](const Sale& s, Collector<Sale>& out) {
                            out.emit(s);
                            out.emit(sale(s.shop, -s.amount));
                            out.emit_with([&](Sale& result) {
                              result.shop.assign("written in place, into what an earlier one left");
                              result.amount = s.amount;
                              result.note.clear();
                            });
                          }),
                          {output_of<Sale>()}, {.most_per_record = 3});
  harness.stamped<Sale>(0, {{sale("a", 1), at(3)}, {sale("b", 2), at(1)}});
  const auto in_place = [](std::int64_t amount) {
    return Sale{"written in place, into what an earlier one left", amount, ""};
  };
  EXPECT_EQ(harness.run()[0], (lines_of<Stamped<Sale>>({{sale("a", 1), at(3)},
                                                        {sale("a", -1), at(3)},
                                                        {in_place(1), at(3)},
                                                        {sale("b", 2), at(1)},
                                                        {sale("b", -2), at(1)},
                                                        {in_place(2), at(1)}})));
}

TEST(FlatMap, StopsAtFullOutputs) {
  const auto thousandfold = [](std::int64_t i, Collector<std::int64_t>& out) {
    for (int k = 0; k < 1'000; ++k) out.emit(i);
  };
  OperatorHarness harness(flat_map_by<std::int64_t, std::int64_t>(thousandfold),
                          {output_of<std::int64_t>()}, {.most_per_record = 1'000});
  harness.batch(0, numbers(9));
  EXPECT_EQ(harness.run()[0].size(), 9'000u);
}

TEST(FlatMap, StopsAtOutputsThatAreFullOfBytes) {
  const auto large = [](std::int64_t, Collector<std::string>& out) {
    out.emit(std::string(100'000, 'x'));
  };
  FlatMapOperator<std::int64_t, std::string, decltype(large)> flat_map(large);
  OutputRecorder recorder({output_of<std::string>()}, kBatchRecords);
  const BatchPtr batch = batch_of(numbers(10));
  Cursor cursor{.batch = &*batch};
  Result<Progress> progress = flat_map.process(0, cursor, recorder.outputs());
  ASSERT_TRUE(progress);
  EXPECT_EQ(*progress, Progress::kMore);
  EXPECT_EQ(recorder.outputs().get<std::string>(0).size(), 3u);
  EXPECT_EQ(cursor.next, 3u);
}

}  // namespace
}  // namespace millrace::detail
