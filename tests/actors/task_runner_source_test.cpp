#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/task_fixture.h"
#include "millrace/operators/source.h"
#include "millrace/operators/stateless.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using State = TaskRunner::State;

// Emits 1, 2, 3, ... as its script says: how many, then how to answer.
struct Answer {
  int records;
  Poll poll;
};

class Scripted : public Source<std::int64_t> {
 public:
  explicit Scripted(std::vector<Answer> script) : script_(std::move(script)) {}

  Result<Poll> poll(Collector<std::int64_t>& out) override {
    EXPECT_LT(next_, script_.size()) << "polled once more than expected";
    if (next_ == script_.size()) return Poll::end();
    const Answer& answer = script_[next_++];
    for (int i = 0; i < answer.records; ++i) out.emit(++last_);
    return answer.poll;
  }

 private:
  std::vector<Answer> script_;
  std::size_t next_ = 0;
  std::int64_t last_ = 0;
};

void start(TestTask& task, std::vector<Answer> script) {
  task.then<std::int64_t>("scripted", std::make_unique<SourceOperator<Scripted>>(
                                          [&] { return Scripted(std::move(script)); }));
  task.to_channels<std::int64_t>(1).start();
}

TEST(TaskRunnerOfASource, PollsAnIdleSourceOnlyWhenItsPauseIsOver) {
  TestTask task;
  start(task, {{2, Poll::idle_for(10ms)}, {1, Poll::idle_for(3ms)}});
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.wake_after, 10ms);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1", "2"})) << "an idle source's records go at once";
  task.clock.advance(4ms);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.wake_after, 6ms);
  task.clock.advance(6ms);
  task.give_credit(0);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.wake_after, 3ms);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1", "2", "3"}));
  EXPECT_EQ(task.metrics.records_out.value(), 3u);
}

TEST(TaskRunnerOfASource, SendsWhatItHasWhenASourceIsIdleForNoTime) {
  TestTask task;
  start(task, {{1, Poll::idle_for(0ms)}, {1, Poll::idle_for(0ms)}});
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.wake_after, 0ms);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1"}));
  EXPECT_EQ(task.run(), State::kIdle);
}

Barrier stopping(std::uint64_t checkpoint) {
  return {.checkpoint = CheckpointId(checkpoint),
          .savepoint = std::make_shared<const SavepointNotice>(SavepointNotice{"saved", true})};
}

TEST(TaskRunnerOfASource, ReadsNoMoreBehindASavepointThatStopsIt) {
  TestTask task;
  start(task, {{1, Poll::idle_for(0ms)}, {1, Poll::idle_for(0ms)}});
  EXPECT_EQ(task.run(), State::kIdle);
  ASSERT_TRUE(task.runner->on_trigger(stopping(1)));
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.wake_after, std::nullopt) << "nothing is to be done";
  EXPECT_EQ(task.port.acknowledged.size(), 1U);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1", "barrier 1"}));
  ASSERT_TRUE(task.runner->on_complete(CheckpointId(1)));
  EXPECT_EQ(task.run(), State::kIdle);
  task.give_credit(0);
  task.runner->on_resume();
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1", "barrier 1", "2"}));
}

TEST(TaskRunnerOfASource, GoesOnWhenTheSavepointIsAborted) {
  TestTask task;
  start(task, {{1, Poll::idle_for(0ms)}, {1, Poll::idle_for(0ms)}});
  EXPECT_EQ(task.run(), State::kIdle);
  ASSERT_TRUE(task.runner->on_trigger(stopping(1)));
  EXPECT_EQ(task.run(), State::kIdle);
  ASSERT_TRUE(task.runner->on_abort(CheckpointId(1)));
  task.give_credit(0);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1", "barrier 1", "2"}));
}

TEST(TaskRunnerOfASource, EndsWhereItIsDrained) {
  TestTask task;
  start(task, {{2, Poll::idle_for(1ms)}});
  EXPECT_EQ(task.run(), State::kIdle);
  task.runner->on_drain();
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  const Lines sent = task.sent<std::int64_t>();
  EXPECT_EQ(sent.back(), "end");
  EXPECT_THAT(sent, Contains("w max"));
}

TEST(TaskRunnerOfASource, SendsWhatItHasNowAndThenWhenASourceIsNeverIdle) {
  TestTask task;
  std::vector<Answer> script(100'000, {1, Poll::more()});
  task.then<std::int64_t>("scripted", std::make_unique<SourceOperator<Scripted>>(
                                          [&] { return Scripted(std::move(script)); }));
  const auto rare = [](const std::int64_t& n) { return n % 5'000 == 0; };
  task.then<std::int64_t>("rare",
                          std::make_unique<FilterOperator<std::int64_t, decltype(rare)>>(rare));
  task.to_channels<std::int64_t>(1).start();
  EXPECT_EQ(task.run(), State::kReady);
  EXPECT_THAT(task.sent<std::int64_t>(), IsEmpty());
  task.clock.advance(10ms);
  EXPECT_EQ(task.run(), State::kReady);
  const std::size_t sent = task.sent<std::int64_t>().size();
  EXPECT_GT(sent, 0u);
  EXPECT_EQ(task.run(), State::kReady);
  EXPECT_EQ(task.sent<std::int64_t>().size(), sent) << "and not with every run";
}

TEST(TaskRunnerOfASource, BoundsAnEndlessPause) {
  TestTask task;
  start(task, {{0, Poll::idle_for(std::chrono::nanoseconds::max())}});
  task.clock.advance(1h);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.wake_after, 1h);
}

TEST(TaskRunnerOfASource, FillsBatchesWhileThereIsMore) {
  TestTask task;
  std::vector<Answer> script(20, {kBatchRecords / 4, Poll::more()});
  script.push_back({0, Poll::end()});
  start(task, std::move(script));
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  for (const Element& element : task.port.sent[0]) {
    EXPECT_EQ(element.batch->size(), kBatchRecords);
  }
}

TEST(TaskRunnerOfASource, IsNotPolledWithoutCredit) {
  TestTask task({.batches = 1, .bytes = 8 * kBatchBytes, .batch_records = 10});
  start(task, {{2'000, Poll::more()}, {2'000, Poll::more()}, {1, Poll::end()}});
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_EQ(task.sent<std::int64_t>().size(), 2'000u);
  EXPECT_EQ(task.wake_after, std::nullopt);
  task.give_credit(0);
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  task.give_credit(1);
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.sent<std::int64_t>().size(), 4'003u);
}

TEST(TaskRunnerOfASource, EndsWithTheLastRecordsWatermarkAndEnd) {
  TestTask task;
  start(task, {{1, Poll::more()}, {1, Poll::end()}});
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1", "2", "w max", "end"}));
}

// Records are their own times; a watermark comes behind each pause.
void start_timed(TestTask& task, std::vector<Answer> script, WatermarkStrategy strategy,
                 bool bounded = false) {
  auto source =
      std::make_unique<SourceOperator<Scripted>>([&] { return Scripted(std::move(script)); });
  source->set_event_time(
      {.stamp = stamp_of<std::int64_t>([](const std::int64_t& time) { return at(time); }),
       .strategy = strategy,
       .bounded = bounded});
  task.then<std::int64_t>("scripted", std::move(source));
  task.to_channels<std::int64_t>(2).start();
}

TEST(TaskRunnerOfASource, SendsWatermarksBehindTheRecordsAndTheLastAtTheEnd) {
  TestTask task;
  start_timed(task, {{600, Poll::more()}, {1, Poll::end()}}, monotonic(), true);
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  const Lines first = task.sent<std::int64_t>(0);
  ASSERT_EQ(first.size(), 303u) << "301 records, the watermark, the end";
  EXPECT_EQ(first[300], "601 @601");
  EXPECT_EQ(first[301], "w max") << "which replaces those before it, behind the same batch";
  EXPECT_EQ(first[302], "end");
}

TEST(TaskRunnerOfASource, IsIdleAfterATimeWithoutRecords) {
  TestTask task;
  start_timed(task,
              {{2, Poll::idle()}, {0, Poll::idle()}, {1, Poll::idle_for(5ms)}, {0, Poll::idle()}},
              monotonic().idle_after(1min));
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.wake_after, 1min) << "before the source wants to be polled";
  task.clock.advance(59s);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.wake_after, 1s);
  EXPECT_EQ(task.sent<std::int64_t>(1), (Lines{"2 @2", "w1"}));
  task.clock.advance(1s);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(1), (Lines{"2 @2", "w1", "idle"}));
  EXPECT_EQ(task.wake_after, 59min) << "nothing more to tell";

  task.clock.advance(59min);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(1).size(), 3u) << "it was told once";
  task.clock.advance(1h);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(1), (Lines{"2 @2", "w1", "idle", "w2"}));
  EXPECT_EQ(task.wake_after, 5ms);
  task.clock.advance(1min);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(1), (Lines{"2 @2", "w1", "idle", "w2", "idle"}));
}

TEST(TaskRunnerOfASource, IsPolledBeforeItIsCalledIdle) {
  TestTask task;
  start_timed(task, {{1, Poll::idle_for(1ms)}, {1, Poll::idle_for(1ms)}},
              monotonic().idle_after(1min));
  EXPECT_EQ(task.run(), State::kIdle);
  task.clock.advance(1h);  // nobody found the time
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(1), (Lines{"w0", "2 @2", "w1"}));
}

TEST(TaskRunnerOfASource, IsNotIdleWhileItWaitsForCredit) {
  TestTask task({.batches = 1, .bytes = kBatchBytes, .batch_records = 1});
  start_timed(task, {{600, Poll::more()}, {2, Poll::idle()}}, monotonic().idle_after(1min));
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  task.clock.advance(30min);
  task.give_credit(0);
  task.runner->on_credit(0, 1, BatchPtr(), task.port.sent[1][0].batch->bytes());
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  EXPECT_THAT(task.sent<std::int64_t>(1), Contains("w601"));
  EXPECT_THAT(task.sent<std::int64_t>(1), Not(Contains("idle")));
  EXPECT_EQ(task.wake_after, 1min) << "its time begins when it may emit again";
}

struct Range {
  std::int64_t next = 0;
  std::int64_t end = 0;
};

class Ranges : public SplitSource<std::int64_t, Range> {
 public:
  Result<std::vector<Range>> discover(std::uint32_t) override { return std::vector<Range>(); }
  Status open_split(const Range&) override { return {}; }
  Result<Poll> poll(Range& split, Collector<std::int64_t>& out) override {
    if (split.next == split.end) return Poll::end();
    out.emit(split.next++);
    return Poll::more();
  }
};

std::string encoded(const Range& range) { return *encode_value(range); }

TEST(TaskRunnerOfASource, AsksForSplitsOneAtATime) {
  TestTask task;
  task.then<std::int64_t>("ranges",
                          std::make_unique<SplitSourceOperator<Ranges>>([] { return Ranges(); }));
  task.to_channels<std::int64_t>(1).start();
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  EXPECT_EQ(task.port.split_requests, 1);
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  EXPECT_EQ(task.port.split_requests, 1) << "one request is enough";

  ASSERT_TRUE(task.runner->on_split(encoded({0, 2})));
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  EXPECT_EQ(task.port.split_requests, 2);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"0", "1"}));

  ASSERT_TRUE(task.runner->on_split(encoded({7, 8})));
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  EXPECT_EQ(task.port.split_requests, 3);
  ASSERT_TRUE(task.runner->on_split(std::nullopt));
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"0", "1", "7", "w max", "end"}));
  EXPECT_EQ(task.port.split_requests, 3);
}

TEST(TaskRunnerOfASource, RefusesASplitThatIsDamaged) {
  TestTask task;
  task.then<std::int64_t>("ranges",
                          std::make_unique<SplitSourceOperator<Ranges>>([] { return Ranges(); }));
  task.start();
  EXPECT_EQ(task.runner->on_split("\x01").error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace millrace::detail
