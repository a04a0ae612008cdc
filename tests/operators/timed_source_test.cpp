// Sources with event time: where their watermarks stand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/operators/source.h"
#include "support/source_harness.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

EventTime by_value(bool bounded) {
  return {.stamp = stamp_of<std::int64_t>([](const std::int64_t& time) { return at(time); }),
          .strategy = out_of_order_by(10ms),
          .bounded = bounded};
}

template <class Operator, class F, class... Arguments>
auto timed(bool bounded, Arguments... arguments) {
  return [=] {
    auto source = std::make_unique<Operator>([&] { return F(arguments...); });
    source->set_event_time(by_value(bounded));
    return source;
  };
}

// Emits 0, 1, 2, ... `step` at a time, whether there is room or not; is idle now and then.
class Counter : public Source<std::int64_t> {
 public:
  Counter(std::int64_t count, std::int64_t step) : count_(count), step_(step) {}

  Result<Poll> poll(Collector<std::int64_t>& out) override {
    if (*next_ >= count_) return Poll::end();
    for (std::int64_t i = 0; i < step_; ++i) {
      out.emit(*next_);
      next_.edit() += 1;
    }
    return *next_ % 7 == 0 ? Poll::idle_for(1ms) : Poll::more();
  }

 private:
  std::int64_t count_;
  std::int64_t step_;
  SourceState<std::int64_t> next_{*this, "next", 0};
};

auto counter(bool bounded, std::int64_t count, std::int64_t step = 1) {
  return timed<SourceOperator<Counter>, Counter>(bounded, count, step);
}

// The watermarks, each behind the record before it.
Lines watermarks_of(const Lines& lines) {
  Lines found;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with('w')) {
      found.push_back((i > 0 ? lines[i - 1] : "nothing") + ": " + lines[i]);
    }
  }
  return found;
}

TEST(TimedSource, PlacesWatermarksByItsRecordsAloneAndAtTheEnd) {
  SourceHarness harness(counter(true, 1'100), {output_of<std::int64_t>()});
  EXPECT_THAT(watermarks_of(harness.run()[0]),
              ElementsAre("511 @511: w500", "1023 @1023: w1012", "1099 @1099: w1088"));
}

TEST(TimedSource, PlacesThemBehindWhatAPollGivesAtOnce) {
  SourceHarness harness(counter(true, 1'101, 3), {output_of<std::int64_t>()});
  harness.most_per_poll(3);
  EXPECT_THAT(watermarks_of(harness.run()[0]),
              ElementsAre("512 @512: w501", "1025 @1025: w1014", "1100 @1100: w1089"));
}

TEST(TimedSource, GivesOneMoreWheneverAnUnboundedSourceRunsDry) {
  SourceHarness harness(counter(false, 20), {output_of<std::int64_t>()});
  EXPECT_THAT(watermarks_of(harness.run()[0]),
              ElementsAre("6 @6: w-5", "13 @13: w2", "19 @19: w8"));
}

TEST(TimedSource, RefusesASnapshotThatIsDamaged) {
  const auto source = counter(true, 20)();
  Snapshot snapshot;
  ASSERT_TRUE(source->snapshot(snapshot));
  snapshot.put(".read", "short");
  EXPECT_EQ(source->restore(snapshot).error().code(), ErrorCode::kCorruption);
}

TEST(TimedSource, MayGoOnFromASnapshotWithoutEventTime) {
  SourceOperator<Counter> untimed([] { return Counter(20, 1); });
  Snapshot snapshot;
  ASSERT_TRUE(untimed.snapshot(snapshot));
  EXPECT_EQ(snapshot.pieces().size(), 1u) << "what it does not have costs nothing";
  EXPECT_TRUE(counter(true, 20)()->restore(snapshot));
}

struct Range {
  std::int64_t next = 0;
  std::int64_t end = 0;
};

class Ranges : public SplitSource<std::int64_t, Range> {
 public:
  Result<std::vector<Range>> discover(std::uint32_t) override { return std::vector<Range>(); }
  Status open_split(const Range& split) override {
    opened_ = split.end;
    return {};
  }
  Result<Poll> poll(Range& split, Collector<std::int64_t>& out) override {
    EXPECT_EQ(opened_, split.end) << "this split is not open";
    if (split.next == split.end) return Poll::end();
    out.emit(split.next++);
    return split.next % 100 == 0 ? Poll::idle_for(1ms) : Poll::more();
  }

 private:
  std::int64_t opened_ = -1;
};

auto ranges() { return timed<SplitSourceOperator<Ranges>, Ranges>(true); }

std::string encoded(const Range& range) { return *encode_value(range); }

TEST(TimedSplitSource, CountsTheRecordsOfEachSplitApart) {
  SourceHarness harness(ranges(), {output_of<std::int64_t>()},
                        {encoded({0, 600}), encoded({1'000, 1'000}), encoded({2'000, 2'600})});
  EXPECT_THAT(
      watermarks_of(harness.run()[0]),
      ElementsAre("511 @511: w500", "599 @599: w588", "2511 @2511: w2500", "2599 @2599: w2588"));
}

TEST(TimedSplitSource, DoesNotGoBackForAnOlderSplit) {
  SourceHarness harness(ranges(), {output_of<std::int64_t>()},
                        {encoded({5'000, 5'100}), encoded({0, 600}), encoded({5'000, 5'200})});
  EXPECT_THAT(watermarks_of(harness.run()[0]),
              ElementsAre("5099 @5099: w5088", "5199 @5199: w5188"));
}

// Reads on until the source wants another split, giving the watermarks on the way.
Lines read_on(AnySource& source) {
  OutputRecorder recorder({output_of<std::int64_t>()}, kBatchRecords);
  recorder.collect_watermark(source);
  for (int i = 0; i < 1'000 && !source.wants_split(); ++i) {
    EXPECT_TRUE(source.poll(recorder.outputs()));
    recorder.collect(kBatchRecords);
    recorder.collect_watermark(source);
  }
  return watermarks_of(recorder.lines()[0]);
}

// The snapshot of a reader in the middle of a split, `records` behind its begin.
Snapshot in_the_middle_of(const Range& split, int records) {
  const auto source = ranges()();
  EXPECT_TRUE(source->assign(encoded(split)));
  OutputRecorder recorder({output_of<std::int64_t>()}, 1);
  for (int i = 0; i < records; ++i) {
    EXPECT_TRUE(source->poll(recorder.outputs()));
    recorder.collect(1);
  }
  Snapshot snapshot;
  EXPECT_TRUE(source->snapshot(snapshot));
  return snapshot;
}

Snapshot together(const std::vector<Snapshot>& snapshots) {
  Snapshot all;
  for (const std::string_view name : {".splits", ".watermark"}) {
    StatePiece piece;
    for (const Snapshot& snapshot : snapshots) {
      const StatePiece* const part = snapshot.find(name);
      piece.elements.insert(piece.elements.end(), part->elements.begin(), part->elements.end());
    }
    all.put(name, std::move(piece));
  }
  return all;
}

TEST(TimedSplitSource, IsTheLeastOfTheSplitsThatItTookOverUntilTheyEnd) {
  const auto source = ranges()();
  ASSERT_TRUE(source->restore(
      together({in_the_middle_of({5'000, 5'600}, 550), in_the_middle_of({0, 600}, 20),
                in_the_middle_of({3'000, 3'600}, 20)})));
  EXPECT_THAT(read_on(*source),
              ElementsAre("5599 @5599: w8",   // the first has ended; the second has come to 19
                          "511 @511: w500",   //
                          "599 @599: w3008",  // the third had come to 3019
                          "3511 @3511: w3500", "3599 @3599: w3588"));
}

TEST(TimedSplitSource, RepeatsItsWatermarkAfterARestore) {
  const auto source = ranges()();
  ASSERT_TRUE(source->restore(in_the_middle_of({0, 600}, 512)));
  EXPECT_THAT(read_on(*source), ElementsAre("nothing: w500", "599 @599: w588"));
}

TEST(TimedSplitSource, KeepsEachSplitApartInItsSnapshot) {
  const auto source = ranges()();
  for (const Range& range : {Range{0, 5}, Range{7, 9}}) ASSERT_TRUE(source->assign(encoded(range)));
  Snapshot snapshot;
  ASSERT_TRUE(source->snapshot(snapshot));
  EXPECT_EQ(snapshot.find(".splits")->elements.size(), 2u);
  EXPECT_EQ(snapshot.find(".splits")->redistribution, Redistribution::kSplit);
}

TEST(TimedSplitSource, AsksForMoreSplitsAfterARestore) {
  const auto source = ranges()();
  source->no_more_splits();
  Snapshot snapshot;
  ASSERT_TRUE(source->snapshot(snapshot));
  const auto again = ranges()();
  ASSERT_TRUE(again->restore(snapshot));
  EXPECT_TRUE(again->wants_split());
  EXPECT_THAT(read_on(*again), IsEmpty());
}

TEST(TimedSplitSource, RefusesASnapshotThatIsDamaged) {
  EXPECT_EQ(ranges()()->restore(Snapshot()).error().code(), ErrorCode::kNotFound);
  Snapshot snapshot;
  snapshot.put(".splits", "short");
  EXPECT_EQ(ranges()()->restore(snapshot).error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace millrace::detail
