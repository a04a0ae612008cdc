#include "millrace/operators/event_time.h"

#include <gtest/gtest.h>

#include "millrace/operators/process.h"
#include "millrace/operators/stateless.h"
#include "operators/chain_fixture.h"
#include "support/operator_harness.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

EventTime by_value(bool bounded = true) {
  return {.stamp = stamp_of<std::int64_t>([](const std::int64_t& time) { return at(time); }),
          .strategy = out_of_order_by(10ms),
          .bounded = bounded};
}

std::unique_ptr<Operator> event_time(bool bounded = true) {
  return std::make_unique<EventTimeOperator>(by_value(bounded));
}

std::vector<std::int64_t> numbers(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = begin; i < end; ++i) numbers.push_back(i);
  return numbers;
}

Lines stamped_lines(std::int64_t begin, std::int64_t end) {
  std::vector<Stamped<std::int64_t>> records;
  for (std::int64_t i = begin; i < end; ++i) records.push_back({i, at(i)});
  return lines_of<std::int64_t>(*stamped_batch_of(std::move(records)));
}

TEST(EventTimeOperator, PlacesWatermarksByTheNumberOfRecordsAlone) {
  OperatorHarness harness([] { return event_time(); }, {output_of<std::int64_t>()});
  harness.batch(0, numbers(0, 700)).watermark(at(5'000)).batch(0, numbers(700, 1'100)).finish();
  Lines expected = stamped_lines(0, 512);
  expected.push_back("w500");
  for (std::string& line : stamped_lines(512, 1'024)) expected.push_back(std::move(line));
  expected.push_back("w1012");
  for (std::string& line : stamped_lines(1'024, 1'100)) expected.push_back(std::move(line));
  EXPECT_EQ(harness.run()[0], expected);
}

TEST(EventTimeOperator, RefusesASnapshotThatIsDamaged) {
  Snapshot snapshot;
  snapshot.put("read", "short");
  EXPECT_EQ(event_time()->restore(snapshot).error().code(), ErrorCode::kCorruption);
}

TEST(EventTimeOperator, KeepsTheLeastWatermarkAfterAChangeOfParallelism) {
  Snapshot snapshot;
  StatePiece read;
  StatePiece watermark{.redistribution = Redistribution::kUnion, .elements = {}};
  for (const int records : {1'100, 600}) {
    EventTimeOperator op(by_value());
    Outputs outputs({make_batch<std::int64_t>()}, {});
    outputs.set_limit(kBatchRecords);
    const BatchPtr batch = batch_of(numbers(0, records));
    Cursor cursor{.batch = &*batch};
    while (!cursor.done()) {
      ASSERT_TRUE(op.process(0, cursor, outputs));
      outputs.clear();
      op.watermarks()->take();
    }
    Snapshot own;
    ASSERT_TRUE(op.snapshot(own));
    read.elements.push_back(own.find("read")->elements.front());
    watermark.elements.push_back(own.find(".watermark")->elements.front());
  }
  snapshot.put("read", read);
  snapshot.put(".watermark", watermark);
  EventTimeOperator op(by_value());
  ASSERT_TRUE(op.restore(snapshot));
  EXPECT_EQ(op.watermarks()->take(), at(500));
}

// flat_map (drops) --> event time --> process that tells its watermark
struct TimedChain {
  explicit TimedChain(bool bounded, std::size_t limit = kBatchRecords)
      : chain(make(bounded, limit)) {
    EXPECT_TRUE(chain.open(&place));
  }

  class Tell : public Process<std::int64_t, std::string> {
   public:
    void process(const std::int64_t& number, Context& context,
                 Collector<std::string>& out) override {
      if (number % 256 != 0) return;
      const Timestamp watermark = context.watermark();
      out.emit(std::to_string(number) + " at " +
               (watermark == kMinTimestamp ? "the beginning"
                                           : std::to_string(watermark.time_since_epoch().count())));
    }
  };

  Chain make(bool bounded, std::size_t limit) {
    ChainPlan plan(limit);
    const std::size_t head = plan.add("time", event_time(bounded), {make_batch<std::int64_t>()});
    const std::size_t tell =
        plan.add("tell", std::make_unique<ProcessOperator<Tell>>([] { return Tell(); }),
                 {make_batch<std::string>()});
    plan.connect(head, 0, tell);
    plan.connect(tell, 0, outlet);
    return plan.make();
  }

  OutletOf<std::string> outlet;
  Chain chain;
};

TEST(EventTimeOperator, MakesTheWatermarksOfTheOperatorsBehindIt) {
  for (const std::size_t limit : {std::size_t{1}, std::size_t{7}, kBatchRecords}) {
    for (const int refusals : {0, 1}) {
      TimedChain timed(true, limit);
      timed.outlet.set_refusals(refusals);
      give(timed.chain, numbers(1, 700));
      settle(timed.chain, timed.chain.watermark(at(9'999)));
      give(timed.chain, numbers(700, 1'100));
      settle(timed.chain, timed.chain.mark_idle());
      settle(timed.chain, timed.chain.watermark(kMaxTimestamp));
      settle(timed.chain, timed.chain.finish());
      const std::string last =
          "watermark " + std::to_string(kMaxTimestamp.time_since_epoch().count());
      EXPECT_EQ(timed.outlet.events(),
                (Lines{R"("256 at the beginning" @256)", R"("512 at the beginning" @512)",
                       "watermark 501", R"("768 at 501" @768)", R"("1024 at 501" @1024)",
                       "watermark 1013", "idle", last, "end"}));
    }
  }
}

TEST(EventTimeOperator, GivesAWatermarkWhenAnUnboundedInputRunsDry) {
  TimedChain unbounded(false);
  give(unbounded.chain, numbers(1, 100));
  EXPECT_EQ(unbounded.outlet.events(), Lines{});
  ASSERT_TRUE(unbounded.chain.flush());
  EXPECT_EQ(unbounded.outlet.events(), Lines{"watermark 88"});
  ASSERT_TRUE(unbounded.chain.flush());
  EXPECT_EQ(unbounded.outlet.events().size(), 1u);

  TimedChain bounded(true);
  give(bounded.chain, numbers(1, 100));
  ASSERT_TRUE(bounded.chain.flush());
  EXPECT_EQ(bounded.outlet.events(), Lines{}) << "when it runs dry depends on timing";
}

TEST(EventTimeOperator, EndsIdlenessWithItsNextRecords) {
  TimedChain timed(true);
  settle(timed.chain, timed.chain.mark_idle());
  give(timed.chain, numbers(1, 10));
  EXPECT_EQ(timed.outlet.events(), (Lines{"idle", "watermark -2"}));
}

}  // namespace
}  // namespace millrace::detail
