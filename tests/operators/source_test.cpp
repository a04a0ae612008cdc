#include "millrace/operators/source.h"

#include <gtest/gtest.h>

#include "support/source_harness.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using detail::Lines;
using detail::lines_of;
using detail::output_of;

constexpr OutputTag<std::string> kOdd{"odd"};

// Emits 0, 1, 2, ... one at a time; odd numbers go to a side output, too.
class Counter : public Source<std::int64_t> {
 public:
  explicit Counter(std::int64_t count) : count_(count) {}

  Result<Poll> poll(Collector<std::int64_t>& out) override {
    if (*next_ == count_) return Poll::end();
    if (*next_ % 2 == 1) emit(kOdd, "number " + std::to_string(*next_));
    out.emit(*next_);
    next_.edit() += 1;
    return *next_ % 5 == 0 ? Poll::idle_for(1ms) : Poll::more();
  }

 private:
  std::int64_t count_;
  SourceState<std::int64_t> next_{*this, "next", 0};
};

template <class F, class... Arguments>
auto source_of(Arguments... arguments) {
  return
      [=] { return std::make_unique<detail::SourceOperator<F>>([&] { return F(arguments...); }); };
}

std::vector<std::int64_t> numbers(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = begin; i < end; ++i) numbers.push_back(i);
  return numbers;
}

TEST(Source, GoesOnWhereItsStateSays) {
  detail::SourceHarness harness(source_of<Counter>(23),
                                {output_of<std::int64_t>(), output_of<std::string>("odd")});
  const std::vector<Lines> lines = harness.run();
  EXPECT_EQ(lines[0], lines_of(numbers(0, 23)));
  EXPECT_EQ(lines[1].size(), 11u);
}

TEST(Source, FillsItsOutputUntilItIsFullOrIdle) {
  const auto source = source_of<Counter>(100)();
  detail::OutputRecorder recorder({output_of<std::int64_t>()}, 3);
  EXPECT_EQ(source->poll(recorder.outputs())->kind(), Poll::Kind::kMore);
  EXPECT_EQ(recorder.collect(3), 3u);
  Result<Poll> poll = source->poll(recorder.outputs());
  EXPECT_EQ(poll->kind(), Poll::Kind::kIdle);
  EXPECT_EQ(poll->pause(), 1ms);
  EXPECT_EQ(recorder.collect(3), 2u);
}

// Only bad records: they all go to a side output, or nowhere if nobody reads it.
class Spoilt : public Source<std::int64_t> {
 public:
  Result<Poll> poll(Collector<std::int64_t>&) override {
    if (*polls_ == 10'000) return Poll::end();
    polls_.edit() += 1;
    emit(kOdd, "bad");
    return Poll::more();
  }

 private:
  SourceState<std::int64_t> polls_{*this, "polls"};
};

TEST(Source, StopsAtAFullSideOutput) {
  const auto source = source_of<Spoilt>()();
  detail::OutputRecorder recorder({output_of<std::int64_t>(), output_of<std::string>("odd")}, 7);
  EXPECT_EQ(source->poll(recorder.outputs())->kind(), Poll::Kind::kMore);
  EXPECT_EQ(recorder.collect(7), 7u);
}

TEST(Source, LetsOthersHaveTheirTurnWhenNothingComesOut) {
  const auto source = source_of<Spoilt>()();
  detail::OutputRecorder recorder({output_of<std::int64_t>()}, 7);
  EXPECT_EQ(source->poll(recorder.outputs())->kind(), Poll::Kind::kMore);
}

// Emits before it was polled.
class Hasty : public Spoilt {
 public:
  Status open(SourceContext&) override {
    emit(kOdd, "bad");
    return {};
  }
};

TEST(Source, MayNotEmitToASideOutputInOpen) {
  EXPECT_EQ(source_of<Hasty>()()->open({}).error(),
            user_code("the side output 'odd' was emitted to before the source was polled; emit in "
                      "poll()"));
}

TEST(Source, FailsWhenASideOutputIsReadAsAnotherType) {
  const auto source = source_of<Spoilt>()();
  detail::OutputRecorder recorder({output_of<std::int64_t>(), output_of<std::int64_t>("odd")}, 7);
  EXPECT_EQ(source->poll(recorder.outputs()).error(),
            user_code("the side output 'odd' is emitted as 'std::string' and read as 'long'; emit "
                      "and read it by one and the same OutputTag"));
}

TEST(Source, SnapshotsEachStateUnderItsName) {
  const auto source = source_of<Counter>(100)();
  detail::Snapshot snapshot;
  ASSERT_TRUE(source->snapshot(snapshot));
  EXPECT_TRUE(snapshot.get("next"));
  detail::Snapshot empty;
  EXPECT_EQ(source->restore(empty).error().code(), ErrorCode::kNotFound);
  snapshot.put("next", "short");
  const Status restored = source->restore(snapshot);
  EXPECT_EQ(restored.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(restored.error().message().find("state 'next'"), std::string::npos);
}

struct Range {
  std::int64_t next = 0;
  std::int64_t end = 0;
};

// Reads ranges of numbers; is idle now and then, and needs open_split() before poll().
class Ranges : public SplitSource<std::int64_t, Range> {
 public:
  Result<std::vector<Range>> discover(std::uint32_t parallelism) override {
    std::vector<Range> ranges;
    for (std::int64_t i = 0; i < parallelism; ++i) ranges.push_back({10 * i, 10 * i + i});
    return ranges;
  }
  Status open_split(const Range& split) override {
    opened_ = split.end;
    return {};
  }
  Result<Poll> poll(Range& split, Collector<std::int64_t>& out) override {
    EXPECT_EQ(opened_, split.end) << "this split is not open";
    if (split.next == split.end) return Poll::end();
    out.emit(split.next++);
    return ++polls_ % 4 == 0 ? Poll::idle_for(1ms) : Poll::more();
  }

 private:
  std::int64_t opened_ = -1;
  int polls_ = 0;
};

std::unique_ptr<detail::AnySource> ranges() {
  return std::make_unique<detail::SplitSourceOperator<Ranges>>([] { return Ranges(); });
}

std::string encoded(const Range& range) { return *detail::encode_value(range); }

TEST(SplitSource, ReadsOneSplitAfterTheOtherAndGoesOnInTheMiddle) {
  detail::SourceHarness harness(
      &ranges, {output_of<std::int64_t>()},
      {encoded({0, 9}), encoded({50, 50}), encoded({20, 21}), encoded({30, 45})});
  std::vector<std::int64_t> expected = numbers(0, 9);
  expected.push_back(20);
  for (const std::int64_t number : numbers(30, 45)) expected.push_back(number);
  EXPECT_EQ(harness.run()[0], lines_of(expected));
}

TEST(SplitSource, EndsWithoutAnySplit) {
  detail::SourceHarness harness(&ranges, {output_of<std::int64_t>()});
  EXPECT_EQ(harness.run()[0], Lines{});
}

TEST(SplitSource, WantsASplitWhenItHasReadAll) {
  const auto source = ranges();
  detail::OutputRecorder recorder({output_of<std::int64_t>()}, 10);
  EXPECT_TRUE(source->wants_split());
  EXPECT_EQ(source->poll(recorder.outputs())->kind(), Poll::Kind::kIdle);
  ASSERT_TRUE(source->assign(encoded({0, 2})));
  EXPECT_FALSE(source->wants_split());
  EXPECT_EQ(source->poll(recorder.outputs())->kind(), Poll::Kind::kIdle);
  EXPECT_EQ(recorder.collect(10), 2u);
  EXPECT_TRUE(source->wants_split());
  source->no_more_splits();
  EXPECT_FALSE(source->wants_split());
  EXPECT_EQ(source->poll(recorder.outputs())->kind(), Poll::Kind::kEnd);
}

TEST(SplitSource, RefusesASplitThatIsDamaged) {
  EXPECT_EQ(ranges()->assign("\x01").error().code(), ErrorCode::kCorruption);
}

class Lost : public Ranges {
 public:
  Status open_split(const Range&) { return not_found("the file is gone"); }
};

TEST(SplitSource, ReturnsTheErrorOfASplitThatCannotBeOpened) {
  detail::SplitSourceOperator<Lost> source([] { return Lost(); });
  detail::OutputRecorder recorder({output_of<std::int64_t>()}, 10);
  ASSERT_TRUE(source.assign(encoded({0, 2})));
  EXPECT_EQ(source.poll(recorder.outputs()).error(), not_found("the file is gone"));
}

TEST(SplitSourceEnumerator, HandsOutEachSplitOnce) {
  detail::SplitSourceEnumerator<Ranges> enumerator([] { return Ranges(); });
  ASSERT_TRUE(enumerator.discover(3));
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(enumerator.next(), encoded({10 * i, 10 * i + i}));
  }
  EXPECT_EQ(enumerator.next(), std::nullopt);
}

}  // namespace
}  // namespace millrace
