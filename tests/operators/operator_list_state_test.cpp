// Operator state in each kind of function that may have some.
#include "millrace/state/operator_list_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/operators/keyed_process.h"
#include "millrace/operators/sink.h"
#include "millrace/operators/source.h"
#include "support/operator_harness.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Number = std::int64_t;

// Holds numbers back until there are three.
class InThrees : public Process<Number, Number> {
 public:
  void process(const Number& number, Context&, Collector<Number>& out) override {
    held_.add(number);
    if (held_.size() < 3) return;
    for (const Number held : held_.values()) out.emit(held);
    held_.clear();
  }

 private:
  OperatorListState<Number> held_{*this, "held"};
};

TEST(OperatorListState, OfAProcessFunctionSurvivesAnything) {
  OperatorHarness harness(
      [] { return std::make_unique<ProcessOperator<InThrees>>([] { return InThrees(); }); },
      {output_of<Number>()}, {.most_per_record = 3});
  harness.batch<Number>(0, {1, 2}).batch<Number>(0, {3, 4, 5}).batch<Number>(0, {6, 7});
  EXPECT_EQ(harness.run()[0], lines_of<Number>({1, 2, 3, 4, 5, 6}));
}

// A number and how many came before it, by key and in all.
class CountBoth : public KeyedProcess<Number, Number, std::string> {
 public:
  void process(const Number& number, Context&, Collector<std::string>& out) override {
    if (all_.empty()) all_.add(0);
    out.emit(std::to_string(number) + ' ' + std::to_string(of_key_.edit()++) + ' ' +
             std::to_string(all_.edit().front()++));
  }

 private:
  ValueState<Number> of_key_{*this, "of-key"};
  UnionListState<Number> all_{*this, "all"};
};

struct Same {
  Number operator()(const Number& number) const { return number; }
};

TEST(OperatorListState, OfAKeyedFunctionStandsBesideItsKeyedState) {
  OperatorHarness harness(
      [] {
        return std::make_unique<KeyedProcessOperator<CountBoth, FunctionKey<Number, Same>>>(
            [] { return CountBoth(); }, FunctionKey<Number, Same>{Same()});
      },
      {output_of<std::string>()});
  harness.batch<Number>(0, {7, 8}).batch<Number>(0, {7, 7});
  EXPECT_EQ(harness.run()[0], lines_of<std::string>({"7 0 0", "8 0 1", "7 1 2", "7 2 3"}));
}

class BadlyNamed : public Process<Number, Number> {
 public:
  void process(const Number&, Context&, Collector<Number>&) override {}

 private:
  OperatorListState<Number> a_{*this, "a"};
  OperatorListState<Number> b_{*this, "a"};
};

TEST(OperatorListState, FailsToOpenWhereNamesAreTheSame) {
  ProcessOperator<BadlyNamed> op([] { return BadlyNamed(); });
  EXPECT_THAT(op.open(OperatorContext()).error().message(), HasSubstr("two states are named 'a'"));
}

// Keeps what it has shown in state, as one that compares new results with old ones would.
class Remembering : public Sink<Number> {
 public:
  Status open(SinkContext&) override {
    found_at_open = {shown_.values().begin(), shown_.values().end()};
    return {};
  }
  Status write(std::span<const Number> values) override {
    for (const Number value : values) shown_.add(value);
    return {};
  }

  static inline std::vector<Number> found_at_open;

 private:
  OperatorListState<Number> shown_{*this, "shown"};
};

TEST(OperatorListState, OfASinkIsThereWhenItOpens) {
  const auto make = [] {
    return std::make_unique<SinkOperator<Remembering>>([] { return Remembering(); });
  };
  auto sink = make();
  ASSERT_TRUE(sink->open(OperatorContext()));
  const BatchPtr batch = batch_of<Number>({1, 2});
  Cursor cursor{.batch = &*batch};
  Outputs outputs({}, {});
  ASSERT_TRUE(sink->process(0, cursor, outputs));
  Snapshot snapshot;
  ASSERT_TRUE(sink->snapshot(snapshot));
  auto next = make();
  ASSERT_TRUE(next->restore(snapshot));
  ASSERT_TRUE(next->open(OperatorContext()));
  EXPECT_THAT(Remembering::found_at_open, ElementsAre(1, 2));
}

// Emits the numbers of its splits, less those that it has emitted before.
class Distinct : public SplitSource<Number, Number> {
 public:
  Result<std::vector<Number>> discover(std::uint32_t) override { return std::vector<Number>(); }
  Status open_split(const Number&) override { return {}; }
  Result<Poll> poll(Number& split, Collector<Number>& out) override {
    const bool known = std::ranges::count(emitted_.values(), split) > 0;
    if (!known) {
      emitted_.add(split);
      out.emit(split);
    }
    return Poll::end();
  }

 private:
  UnionListState<Number> emitted_{*this, "emitted"};
};

std::vector<Number> numbers_of(SplitSourceOperator<Distinct>& source, Number split) {
  EXPECT_TRUE(source.assign(*encode_value(split)));
  Outputs outputs({make_batch<Number>()}, {});
  EXPECT_TRUE(source.poll(outputs));
  const auto values = outputs.get<Number>(0).values();
  return {values.begin(), values.end()};
}

TEST(OperatorListState, OfASourceStandsBesideItsSplits) {
  const auto make = [] {
    return std::make_unique<SplitSourceOperator<Distinct>>([] { return Distinct(); });
  };
  auto source = make();
  EXPECT_THAT(numbers_of(*source, 5), ElementsAre(5));
  Snapshot snapshot;
  ASSERT_TRUE(source->snapshot(snapshot));
  auto next = make();
  ASSERT_TRUE(next->restore(snapshot));
  EXPECT_THAT(numbers_of(*next, 5), ElementsAre());
  EXPECT_THAT(numbers_of(*next, 6), ElementsAre(6));
}

}  // namespace
}  // namespace millrace::detail
