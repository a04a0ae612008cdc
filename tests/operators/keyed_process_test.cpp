#include "millrace/operators/keyed_process.h"

#include <gtest/gtest.h>

#include <numeric>

#include "operators/sale.h"
#include "support/operator_harness.h"

namespace millrace::detail {
namespace {

constexpr OutputTag<std::string> kRefused{"refused"};

template <class F, class Selector>
auto process_with(Selector key) {
  return [key] {
    return std::make_unique<KeyedProcessOperator<F, Selector>>([] { return F(); }, key);
  };
}
template <class F, class First, class Second>
auto co_process_with(First first, Second second) {
  return [first, second] {
    return std::make_unique<KeyedCoProcessOperator<F, First, Second>>([] { return F(); }, first,
                                                                      second);
  };
}

class Labeller : public KeyedProcess<std::string, Sale, Sale> {
 public:
  void process(const Sale& value, Context& context, Collector<Sale>& out) override {
    if (value.amount == 0) return context.emit(kRefused, context.key());
    for (int i = 0; i < value.amount; ++i) out.emit({context.key(), value.amount, ""});
  }
};

template <class T, class F>
FunctionKey<T, F> key_by(F function) {
  return {function};
}

TEST(KeyedProcess, KnowsTheKeyOfItsRecord) {
  const auto check_with = [](auto selector, const std::string& prefix) {
    OperatorHarness harness(process_with<Labeller>(selector),
                            {output_of<Sale>(), output_of<std::string>("refused")},
                            {.most_per_record = 3});
    harness.batch<Sale>(0, {sale("a", 1), sale("b", 3), sale("c", 0), sale("a", 2)});
    const std::vector<Lines> lines = harness.run();
    const std::string a = prefix + "a", b = prefix + "b";
    EXPECT_EQ(
        lines[0],
        lines_of<Sale>({{a, 1, ""}, {b, 3, ""}, {b, 3, ""}, {b, 3, ""}, {a, 2, ""}, {a, 2, ""}}));
    EXPECT_EQ(lines[1], lines_of<std::string>({prefix + "c"}));
  };
  check_with(MemberKey<Sale, std::string>{&Sale::shop}, "");
  check_with(key_by<Sale>([](const Sale& s) { return "a key made by a function: " + s.shop; }),
             "a key made by a function: ");
}

class KeyedMerger : public KeyedCoProcess<std::int64_t, Sale, Reading, std::int64_t> {
 public:
  void process_first(const Sale&, Context& context, Collector<std::int64_t>& out) override {
    out.emit(context.key());
  }
  void process_second(const Reading&, Context& context, Collector<std::int64_t>& out) override {
    out.emit(-context.key());
  }
};

TEST(KeyedCoProcess, KnowsTheKeysOfBothInputs) {
  OperatorHarness harness(
      co_process_with<KeyedMerger>(MemberKey<Sale, std::int64_t>{&Sale::amount},
                                   key_by<Reading>([](const Reading& r) { return 10 * r.value; })),
      {output_of<std::int64_t>()});
  harness.batch<Sale>(0, {sale("a", 1), sale("b", 2)}).batch<Reading>(1, {{1, 3}, {1, 4}});
  EXPECT_EQ(harness.run()[0], lines_of<std::int64_t>({1, 2, -30, -40}));
}

const MemberKey<Sale, std::string> kByShop{&Sale::shop};

OperatorHarness harness_of(auto make, std::size_t most_per_record = 1) {
  return OperatorHarness(make, {output_of<Sale>()}, {.most_per_record = most_per_record});
}

// Sums up the amounts of its key, and forgets at a zero.
class Adder : public KeyedProcess<std::string, Sale, Sale> {
 public:
  void process(const Sale& value, Context& context, Collector<Sale>& out) override {
    if (value.amount == 0) return sum_.reset();
    sum_ = sum_.value_or(0) + value.amount;
    out.emit({context.key(), *sum_, sum_ ? "known" : ""});
  }

 private:
  ValueState<std::int64_t> sum_{*this, "sum"};
};

TEST(ValueState, IsThatOfTheCurrentKey) {
  OperatorHarness harness = harness_of(process_with<Adder>(kByShop));
  harness.batch<Sale>(0, {{"a", 1, ""}, {"b", 2, ""}, {"a", 3, ""}, {"a", 0, ""}, {"b", 1, ""}});
  harness.batch<Sale>(0, {{"a", 5, ""}, {"b", 0, ""}, {"b", 7, ""}, {"c", 1, ""}, {"c", 1, ""}});
  EXPECT_EQ(harness.run()[0], lines_of<Sale>({{"a", 1, "known"},
                                              {"b", 2, "known"},
                                              {"a", 4, "known"},
                                              {"b", 3, "known"},
                                              {"a", 5, "known"},
                                              {"b", 7, "known"},
                                              {"c", 1, "known"},
                                              {"c", 2, "known"}}));
}

// Emits all notes of its key so far, as a list and counted by a map; a negative amount forgets.
class Collects : public KeyedProcess<std::string, Sale, Sale> {
 public:
  void process(const Sale& value, Context& context, Collector<Sale>& out) override {
    if (value.amount == -1) return notes_.clear();
    if (value.amount == -2) return counts_.erase(value.note);
    if (value.amount == -3) return counts_.clear();
    notes_.add(value.note);
    counts_.edit(value.note) += value.amount;
    std::string text;
    for (const std::string& note : notes_.values()) text += note;
    text += ':';
    for (const auto& [note, count] : counts_) text += note + std::to_string(count);
    out.emit({context.key(), static_cast<std::int64_t>(counts_.size()), text});
  }

 private:
  ListState<std::string> notes_{*this, "notes"};
  MapState<std::string, std::int64_t> counts_{*this, "counts"};
};

TEST(ListAndMapState, AreThoseOfTheCurrentKey) {
  OperatorHarness harness = harness_of(process_with<Collects>(kByShop));
  harness.batch<Sale>(0, {{"a", 1, "x"}, {"b", 2, "y"}, {"a", 3, "z"}, {"a", 1, "x"}});
  harness.batch<Sale>(0, {{"a", -1, ""}, {"b", 2, "x"}, {"a", 3, "y"}, {"a", -2, "x"}});
  harness.batch<Sale>(0, {{"a", 1, "q"}, {"a", -3, ""}, {"a", 3, "x"}, {"b", -2, "y"}});
  harness.batch<Sale>(0, {{"b", -2, "x"}, {"b", 1, "r"}});
  EXPECT_EQ(harness.run()[0], lines_of<Sale>({{"a", 1, "x:x1"},
                                              {"b", 1, "y:y2"},
                                              {"a", 2, "xz:x1z3"},
                                              {"a", 2, "xzx:x2z3"},
                                              {"b", 2, "yx:x2y2"},
                                              {"a", 3, "y:x2y3z3"},
                                              {"a", 3, "yq:q1y3z3"},
                                              {"a", 1, "yqx:x3"},
                                              {"b", 1, "yxr:r1"}}));
}

// Emits a key's amounts when its time is up, unless a zero cancels that.
class Closer : public KeyedProcess<std::string, Sale, Sale> {
 public:
  void process(const Sale& value, Context& context, Collector<Sale>&) override {
    const Timestamp close = at(value.amount);
    if (value.note == "cancel") return context.timers().cancel(close);
    times_.add(value.amount);
    context.timers().at(close);
  }
  void on_timer(Timestamp due, Context& context, Collector<Sale>& out) override {
    const std::int64_t time = due.time_since_epoch().count();
    out.emit({context.key(), time, std::to_string(times_.size())});
    if (time % 10 == 0) context.timers().at(due + std::chrono::milliseconds(5));
  }

 private:
  ListState<std::int64_t> times_{*this, "times"};
};

TEST(Timers, FireInTheOrderOfTimeForTheirKeys) {
  OperatorHarness harness = harness_of(process_with<Closer>(kByShop));
  harness.batch<Sale>(0, {{"a", 30, ""}, {"b", 20, ""}, {"a", 21, ""}, {"a", 21, ""}});
  harness.batch<Sale>(0, {{"c", 22, ""}, {"c", 22, "cancel"}, {"d", 40, ""}});
  harness.watermark(at(19)).watermark(at(24)).watermark(at(35)).watermark(kMaxTimestamp);
  const auto fired = [](std::string key, std::int64_t time, std::string text) {
    return line_of(Stamped<Sale>{{key, time, text}, at(time)});
  };
  EXPECT_EQ(harness.run()[0], (Lines{fired("b", 20, "1"), fired("a", 21, "3"), fired("b", 25, "1"),
                                     fired("a", 30, "3"), fired("a", 35, "3"), fired("d", 40, "1"),
                                     fired("d", 45, "1")}));
}

class Outside : public KeyedProcess<std::string, Sale, Sale> {
 public:
  Status open(TaskContext&) override {
    sum_ = 1;
    return {};
  }
  void process(const Sale&, Context&, Collector<Sale>&) override {}

 private:
  ValueState<std::int64_t> sum_{*this, "sum"};
};

TEST(ValueState, IsRefusedWhereNoKeyIsAtHand) {
  const auto made = process_with<Outside>(kByShop)();
  try {
    (void)made->open({});
    FAIL();
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(
        error.what(),
        "state 'sum' was used where no key is at hand: it belongs to the key of the record "
        "in process() or of the timer in on_timer()");
  }
}

class Twice : public KeyedProcess<std::string, Sale, Sale> {
 public:
  void process(const Sale&, Context&, Collector<Sale>&) override {}

 private:
  ValueState<std::int64_t> sum_{*this, "sum"};
  ValueState<std::int64_t> other_{*this, "sum"};
};

TEST(ValueState, NeedsANameOfItsOwn) {
  EXPECT_EQ(process_with<Twice>(kByShop)()->open({}).error(),
            invalid_argument("two states are named 'sum'; a name tells the states of an operator "
                             "apart"));
}

}  // namespace
}  // namespace millrace::detail
