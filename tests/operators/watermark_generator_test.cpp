#include "millrace/operators/watermark_generator.h"

#include <gtest/gtest.h>

#include "support/records_as_text.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

struct Event {
  std::int64_t id = 0;
  Timestamp at;
};

WatermarkGenerator generator_of(WatermarkStrategy strategy) {
  return WatermarkGenerator({.stamp = stamp_of<Event>(&Event::at), .strategy = strategy});
}

BatchPtr events(std::vector<Timestamp> times) {
  std::vector<Event> events;
  for (const Timestamp time : times) events.push_back({.id = 1, .at = time});
  return batch_of(std::move(events));
}

TEST(WatermarkGenerator, StampsEveryRecordAndKnowsTheLatest) {
  WatermarkGenerator generator = generator_of(out_of_order_by(5ms));
  SplitTime split;
  const BatchPtr batch = events({at(30), at(10), at(20)});
  generator.stamp(split, *batch);
  EXPECT_EQ(batch->timestamp(0), at(30));
  EXPECT_EQ(batch->timestamp(1), at(10));
  EXPECT_EQ(batch->timestamp(2), at(20));
  EXPECT_EQ(split, (SplitTime{.latest = at(30), .records = 3}));
  EXPECT_EQ(generator.watermark_of(split), at(24)) << "the latest less the bound less 1 ms";
}

TEST(WatermarkGenerator, StampsByAFunctionAndOverOtherTimestamps) {
  WatermarkGenerator generator(
      {.stamp = stamp_of<Event>([](const Event& event) { return at(2 * event.id); }),
       .strategy = monotonic()});
  SplitTime split;
  const BatchPtr batch = stamped_batch_of<Event>({{{.id = 7}, at(99)}});
  generator.stamp(split, *batch);
  EXPECT_EQ(batch->timestamp(0), at(14));
  EXPECT_EQ(generator.watermark_of(split), at(13));
}

TEST(WatermarkGenerator, DoesNotLeaveTheRangeOfTime) {
  WatermarkGenerator generator = generator_of(out_of_order_by(5ms));
  const auto of = [&](Timestamp latest) { return generator.watermark_of({.latest = latest}); };
  EXPECT_EQ(of(kMinTimestamp), kMinTimestamp);
  EXPECT_EQ(of(kMinTimestamp + 5ms), kMinTimestamp);
  EXPECT_EQ(of(kMinTimestamp + 6ms), kMinTimestamp);
  EXPECT_EQ(of(kMinTimestamp + 7ms), kMinTimestamp + 1ms);
  EXPECT_EQ(of(kMaxTimestamp), kMaxTimestamp - 6ms) << "a record does not end the stream";
  EXPECT_EQ(generator_of(out_of_order_by(Duration::max())).watermark_of({.latest = at(-5)}),
            kMinTimestamp);
}

TEST(WatermarkGenerator, IsDueBehindEverySoManyRecordsOfTheSplit) {
  WatermarkGenerator generator = generator_of(monotonic());
  SplitTime split{.latest = at(1), .records = kWatermarkInterval - 2};
  EXPECT_EQ(WatermarkGenerator::room(split), 2u);
  EXPECT_FALSE(generator.stamp(split, *events({at(1)})));
  EXPECT_EQ(WatermarkGenerator::room(split), 1u);
  EXPECT_TRUE(generator.stamp(split, *events({at(2)})));
  EXPECT_EQ(WatermarkGenerator::room(split), kWatermarkInterval);
  EXPECT_FALSE(generator.stamp(split, *events({})));
  split.records = 2 * kWatermarkInterval - 1;
  EXPECT_TRUE(generator.stamp(split, *events({at(3), at(4), at(5)}))) << "beyond the place";
}

TEST(WatermarkGenerator, GivesEachWatermarkOnceAndNeverGoesBack) {
  WatermarkGenerator generator = generator_of(monotonic());
  EXPECT_EQ(generator.take(), std::nullopt);
  generator.advance(at(5));
  EXPECT_TRUE(generator.pending());
  EXPECT_EQ(generator.take(), at(5));
  EXPECT_EQ(generator.take(), std::nullopt);
  generator.advance(at(5));
  generator.advance(at(4));
  EXPECT_FALSE(generator.pending());
  EXPECT_EQ(generator.current(), at(5));
}

TEST(WatermarkGenerator, TellsThatRecordsCameAfterItWasIdle) {
  WatermarkGenerator generator = generator_of(monotonic());
  generator.advance(at(50));
  generator.take();
  generator.mark_idle();
  SplitTime split;
  EXPECT_FALSE(generator.stamp(split, *events({})));
  EXPECT_TRUE(generator.stamp(split, *events({at(7)})));
  EXPECT_EQ(generator.take(), at(50)) << "also where the watermark does not grow";
  EXPECT_FALSE(generator.stamp(split, *events({at(8)})));
}

TEST(WatermarkGenerator, GoesOnFromItsSnapshot) {
  WatermarkGenerator generator = generator_of(monotonic());
  generator.advance(at(50));
  Snapshot snapshot;
  ASSERT_TRUE(generator.snapshot(snapshot));
  WatermarkGenerator next = generator_of(monotonic());
  ASSERT_TRUE(next.restore(snapshot));
  EXPECT_EQ(next.take(), at(50)) << "those who read the stream have forgotten it";
  ASSERT_TRUE(next.restore(Snapshot()));
  EXPECT_FALSE(next.pending());
}

TEST(WatermarkGenerator, TakesTheLeastOfSeveralSnapshots) {
  StatePiece all;
  for (const int time : {50, 20, 70}) {
    WatermarkGenerator generator = generator_of(monotonic());
    generator.advance(at(time));
    Snapshot snapshot;
    ASSERT_TRUE(generator.snapshot(snapshot));
    const StatePiece& piece = snapshot.pieces().begin()->second;
    EXPECT_EQ(piece.redistribution, Redistribution::kUnion);
    all.elements.push_back(piece.elements.front());
  }
  Snapshot snapshot;
  snapshot.put(".watermark", all);
  WatermarkGenerator generator = generator_of(monotonic());
  ASSERT_TRUE(generator.restore(snapshot));
  EXPECT_EQ(generator.current(), at(20));
}

TEST(WatermarkGenerator, RefusesASnapshotThatIsDamaged) {
  Snapshot snapshot;
  snapshot.put(".watermark", "short");
  EXPECT_EQ(generator_of(monotonic()).restore(snapshot).error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace millrace::detail
