#include "millrace/operators/process.h"

#include <gtest/gtest.h>

#include "millrace/operators/two_inputs.h"
#include "operators/sale.h"
#include "support/operator_harness.h"

namespace millrace::detail {
namespace {

constexpr OutputTag<std::string> kRefused{"refused"};
constexpr OutputTag<std::int64_t> kAmounts{"amounts"};

template <class F>
auto process_with() {
  return [] { return std::make_unique<ProcessOperator<F>>([] { return F(); }); };
}
template <class F>
auto co_process_with() {
  return [] { return std::make_unique<CoProcessOperator<F>>([] { return F(); }); };
}

// Doubles what it likes and refuses the rest.
class Sorter : public Process<Sale, Sale> {
 public:
  void process(const Sale& value, Context& context, Collector<Sale>& out) override {
    context.emit(kAmounts, value.amount);
    if (value.amount < 0) return context.emit(kRefused, value.note);
    out.emit(value);
    out.emit(sale(value.shop, 2 * value.amount));
  }
};

OperatorHarness& feed(OperatorHarness& harness) {
  return harness.batch<Sale>(0, {sale("a", 1), sale("b", -2), sale("c", 3), sale("d", -4)})
      .stamped<Sale>(0, {{sale("e", -5), at(9)}, {sale("f", 6), at(8)}});
}

const Lines kSorted = {line_of(sale("a", 1)),
                       line_of(sale("a", 2)),
                       line_of(sale("c", 3)),
                       line_of(sale("c", 6)),
                       line_of(Stamped<Sale>{sale("f", 6), at(8)}),
                       line_of(Stamped<Sale>{sale("f", 12), at(8)})};

TEST(Process, EmitsToItsOutputAndToSideOutputs) {
  OperatorHarness harness(
      process_with<Sorter>(),
      {output_of<Sale>(), output_of<std::string>("refused"), output_of<std::int64_t>("amounts")},
      {.most_per_record = 2});
  const std::vector<Lines> lines = feed(harness).run();
  EXPECT_EQ(lines[0], kSorted);
  EXPECT_EQ(lines[1], (Lines{line_of(sale("", -2).note), line_of(sale("", -4).note),
                             line_of(Stamped<std::string>{sale("", -5).note, at(9)})}));
  EXPECT_EQ(lines[2].size(), 6u);
}

TEST(Process, DropsWhatGoesToASideOutputThatNobodyReads) {
  OperatorHarness harness(process_with<Sorter>(),
                          {output_of<Sale>(), output_of<std::int64_t>("amounts")},
                          {.most_per_record = 2});
  const std::vector<Lines> lines = feed(harness).run();
  EXPECT_EQ(lines[0], kSorted);
  EXPECT_EQ(lines[1].back(), line_of(Stamped<std::int64_t>{6, at(8)}));
}

// Records that look the same, of two types.
struct OtherSale {
  std::string shop;
  std::int64_t amount = 0;
  std::string note;
};

TEST(Process, FailsWhenASideOutputIsReadAsAnotherType) {
  const auto sorter = process_with<Sorter>()();
  OutputRecorder recorder({output_of<Sale>(), output_of<OtherSale>("refused")}, kBatchRecords);
  const BatchPtr batch = batch_of<Sale>({sale("a", 1), sale("b", -2)});
  Cursor cursor{.batch = &*batch};
  const Error error = sorter->process(0, cursor, recorder.outputs()).error();
  EXPECT_EQ(error.code(), ErrorCode::kUserCode);
  EXPECT_EQ(error.message(),
            "the side output 'refused' is emitted as 'std::string' and read as "
            "'millrace::detail::(anonymous namespace)::OtherSale'; emit and read it by one and the "
            "same OutputTag");
  EXPECT_TRUE(recorder.outputs().get<OtherSale>(1).empty());
}

class Stamper : public Process<std::int64_t, std::int64_t> {
 public:
  void process(const std::int64_t&, Context& context, Collector<std::int64_t>& out) override {
    out.emit(context.timestamp().time_since_epoch().count());
  }
};

TEST(Process, KnowsTheTimestampOfItsRecord) {
  OperatorHarness harness(process_with<Stamper>(), {output_of<std::int64_t>()});
  harness.stamped<std::int64_t>(0, {{0, at(4)}, {0, at(2)}}).batch<std::int64_t>(0, {0});
  EXPECT_EQ(
      harness.run()[0],
      (Lines{line_of(Stamped<std::int64_t>{4, at(4)}), line_of(Stamped<std::int64_t>{2, at(2)}),
             line_of<std::int64_t>(kMinTimestamp.time_since_epoch().count())}));
}

class Merger : public CoProcess<Sale, std::int64_t, std::string> {
 public:
  void process_first(const Sale& value, Context& context, Collector<std::string>& out) override {
    out.emit(value.note);
    context.emit(kAmounts, value.amount);
  }
  void process_second(const std::int64_t& value, Context&, Collector<std::string>& out) override {
    for (int i = 0; i < value; ++i) out.emit("number " + std::to_string(value));
  }
};

TEST(CoProcess, TakesRecordsOfTwoTypes) {
  OperatorHarness harness(co_process_with<Merger>(),
                          {output_of<std::string>(), output_of<std::int64_t>("amounts")},
                          {.most_per_record = 3});
  harness.batch<std::int64_t>(1, {1, 0, 3}).stamped<Sale>(0, {{sale("a", 5), at(2)}});
  harness.watermark(at(3)).batch<Sale>(0, {sale("a", 6)}).batch<std::int64_t>(1, {2}).finish();
  const std::vector<Lines> lines = harness.run();
  EXPECT_EQ(lines[0], (Lines{line_of<std::string>("number 1"), line_of<std::string>("number 3"),
                             line_of<std::string>("number 3"), line_of<std::string>("number 3"),
                             line_of(Stamped<std::string>{sale("a", 5).note, at(2)}),
                             line_of(sale("a", 6).note), line_of<std::string>("number 2"),
                             line_of<std::string>("number 2")}));
  EXPECT_EQ(lines[1], (Lines{line_of(Stamped<std::int64_t>{5, at(2)}), line_of<std::int64_t>(6)}));
}

TEST(TwoInputMap, AppliesAFunctionToEachInput) {
  const auto first = [](const Sale& s) { return s.amount; };
  const auto second = [](const Reading& r) { return -r.value; };
  using First = MapOperator<Sale, std::int64_t, decltype(first)>;
  using Second = MapOperator<Reading, std::int64_t, decltype(second)>;
  OperatorHarness harness(
      [&] {
        return std::make_unique<TwoInputOperator<First, Second>>(First(first), Second(second));
      },
      {output_of<std::int64_t>()});
  harness.batch<Sale>(0, {sale("a", 1), sale("b", 2)}).stamped<Reading>(1, {{{1, 3}, at(5)}});
  EXPECT_EQ(harness.run()[0], (Lines{line_of<std::int64_t>(1), line_of<std::int64_t>(2),
                                     line_of(Stamped<std::int64_t>{-3, at(5)})}));
}

TEST(TwoInputFlatMap, AppliesAFunctionToEachInput) {
  const auto first = [](const std::int64_t& i, Collector<std::string>& out) {
    for (int k = 0; k < i; ++k) out.emit("first " + std::to_string(k));
  };
  const auto second = [](const std::string& s, Collector<std::string>& out) {
    if (!s.empty()) out.emit("second " + s);
  };
  using First = FlatMapOperator<std::int64_t, std::string, decltype(first)>;
  using Second = FlatMapOperator<std::string, std::string, decltype(second)>;
  OperatorHarness harness(
      [&] {
        return std::make_unique<TwoInputOperator<First, Second>>(First(first), Second(second));
      },
      {output_of<std::string>()}, {.most_per_record = 3});
  harness.batch<std::int64_t>(0, {0, 3, 1}).batch<std::string>(1, {"", "x", "y"});
  EXPECT_EQ(harness.run()[0], lines_of<std::string>({"first 0", "first 1", "first 2", "first 0",
                                                     "second x", "second y"}));
}

class Asking : public Process<std::int64_t, std::int64_t> {
 public:
  Status open(TaskContext& context) override {
    EXPECT_EQ(context.name(), "asking");
    EXPECT_EQ(context.subtask(), 3u);
    EXPECT_EQ(context.parallelism(), 5u);
    return unavailable("no");
  }
  void process(const std::int64_t&, Context&, Collector<std::int64_t>&) override {}
  Status close() override { return cancelled("closed"); }
};

TEST(Process, IsOpenedWithItsPlaceAndItsErrorsAreReturned) {
  const auto made = process_with<Asking>()();
  OperatorContext context;
  context.name = "asking";
  context.subtask = SubtaskIndex(3);
  context.parallelism = 5;
  EXPECT_EQ(made->open(context).error(), unavailable("no"));
  EXPECT_EQ(made->close().error(), cancelled("closed"));
}

}  // namespace
}  // namespace millrace::detail
