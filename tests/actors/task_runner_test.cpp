#include "millrace/actors/task_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/task_fixture.h"
#include "millrace/operators/stateless.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using State = TaskRunner::State;

template <class F>
std::unique_ptr<Operator> map(F function) {
  return std::make_unique<MapOperator<std::int64_t, std::int64_t, F>>(function);
}
std::unique_ptr<Operator> negate() {
  return map([](std::int64_t i) { return -i; });
}

// Gives the sum of what it took at the end, and its watermarks' number.
class Summing : public Operator {
 public:
  Result<Progress> process(std::uint32_t, Cursor& in, Outputs&) override {
    for (; !in.done(); ++in.next) sum_ += in.as<std::int64_t>().values()[in.next];
    return Progress::kDone;
  }
  Result<Progress> on_watermark(Timestamp, Outputs&) override {
    ++watermarks_;
    return Progress::kDone;
  }
  Result<Progress> finish(Outputs& out) override {
    out.get<std::int64_t>(0).push(sum_);
    out.get<std::int64_t>(0).push(watermarks_);
    return Progress::kDone;
  }

 private:
  std::int64_t sum_ = 0;
  std::int64_t watermarks_ = 0;
};

TEST(TaskRunner, ProcessesABatchAndReturnsItsCredit) {
  TestTask task;
  task.then<std::int64_t>("negate", negate()).to_channels<std::int64_t>(1);
  task.from_channels({{}, {}}).start();
  EXPECT_EQ(task.run(), State::kIdle);
  task.receive<std::int64_t>(1, {1, 2});
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.wake_after, std::nullopt);
  EXPECT_EQ(task.sent<std::int64_t>(), lines_of<std::int64_t>({-1, -2}));
  ASSERT_EQ(task.port.credits.size(), 1u);
  EXPECT_EQ(task.port.credits[0].channel, 1u);
  EXPECT_EQ(task.port.credits[0].bytes, 16u);
  EXPECT_FALSE(task.port.credits[0].batch) << "the receiver keeps the batch for itself";
  EXPECT_EQ(task.metrics.records_in.value(), 2u);
  EXPECT_EQ(task.metrics.records_out.value(), 2u);
}

TEST(TaskRunner, LeavesABatchThatOtherTasksReadAsItIs) {
  TestTask task;
  const auto all = [](const std::string&) { return true; };
  task.then<std::string>("all", std::make_unique<FilterOperator<std::string, decltype(all)>>(all));
  task.to_channels<std::string>(1).from_channels({{}}).start();
  const BatchPtr shared = batch_of<std::string>({"a text that is too long to live in place"});
  const Lines before = lines_of<std::string>(*shared);
  task.runner->on_element(0, {.batch = shared});
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(lines_of<std::string>(*shared), before);
  EXPECT_EQ(task.sent<std::string>(), before);
}

TEST(TaskRunner, WaitsForCreditAndThenGoesOn) {
  TestTask task({.batches = 1, .bytes = kBatchBytes, .batch_records = 2});
  task.then<std::int64_t>("negate", negate()).to_channels<std::int64_t>(1);
  task.from_channels({{}}).start();
  for (int i = 0; i < 4; ++i) task.receive<std::int64_t>(0, {2 * i, 2 * i + 1});
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_EQ(task.sent<std::int64_t>().size(), 2u);
  EXPECT_EQ(task.port.credits.size(), 2u) << "one batch is under way, one waits";
  EXPECT_EQ(task.run(), State::kBlocked);
  for (std::size_t i = 0; i < 3; ++i) {
    task.give_credit(i);
    task.run_until_it_waits();
  }
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(), lines_of<std::int64_t>({0, -1, -2, -3, -4, -5, -6, -7}));
  EXPECT_EQ(task.port.credits.size(), 4u);
}

TEST(TaskRunner, KeepsTheCreditOfABatchThatItIsStillAtWorkOn) {
  TestTask task({.batches = 1, .bytes = kBatchBytes, .batch_records = 1'000});
  const auto thousandfold = [](std::int64_t i, Collector<std::int64_t>& out) {
    for (int k = 0; k < 1'024; ++k) out.emit(i);
  };
  using FlatMap = FlatMapOperator<std::int64_t, std::int64_t, decltype(thousandfold)>;
  task.then<std::int64_t>("thousandfold", std::make_unique<FlatMap>(thousandfold));
  task.to_channels<std::int64_t>(1).from_channels({{}}).start();
  task.receive<std::int64_t>(0, {1, 2, 3, 4});
  task.receive_watermark(0, at(5));
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_THAT(task.port.credits, IsEmpty()) << "the first result is under way, the second waits";
  task.give_credit(0);
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_THAT(task.port.credits, IsEmpty());
  task.give_credit(1);
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_EQ(task.port.credits.size(), 1u) << "the last result is made, and waits";
  task.give_credit(2);
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>().size(), 4 * 1'024u + 1);
  EXPECT_EQ(task.sent<std::int64_t>().back(), "w5");
  EXPECT_EQ(task.metrics.records_out.value(), 4 * 1'024u);
}

TEST(TaskRunner, PassesWatermarksOnBehindTheRecords) {
  TestTask task;
  task.then<std::int64_t>("negate", negate()).to_channels<std::int64_t>(2);
  task.from_channels({{}, {}}).start();
  task.receive<std::int64_t>(0, {1}, at(5));
  task.receive_watermark(1, at(3));
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(0), (Lines{"-1", "w3"}));
  EXPECT_EQ(task.sent<std::int64_t>(1), (Lines{"w3"}));
  EXPECT_EQ(task.metrics.watermark_milliseconds.value(), 3);
}

TEST(TaskRunner, PassesIdlenessOnWhenAllInputsAreIdle) {
  TestTask task;
  task.then<std::int64_t>("negate", negate()).to_channels<std::int64_t>(1);
  task.from_channels({{}, {}}).start();
  task.receive<std::int64_t>(0, {1}, at(5));
  task.receive_idle(1);
  EXPECT_EQ(task.run(), State::kIdle);
  task.receive_idle(0);
  EXPECT_EQ(task.run(), State::kIdle);
  task.receive_watermark(1, at(5));
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"-1", "w5", "idle", "w5"}));
  EXPECT_EQ(task.metrics.watermark_milliseconds.value(), 5);
}

// As when the job is stopped: what is held back comes out, but nothing pretends to be complete.
TEST(TaskRunner, EndsWithoutTheLastWatermarkIfNoneCame) {
  TestTask task;
  task.then<std::int64_t>("sum", std::make_unique<Summing>()).to_channels<std::int64_t>(1);
  task.from_channels({{}}).start();
  task.receive<std::int64_t>(0, {1, 2}, at(5));
  task.receive_end(0);
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"w5", "3", "1", "end"}));
}

TEST(TaskRunner, EndsWithTheLastWatermarkWhatWasHeldBackAndTheEnd) {
  TestTask task;
  task.then<std::int64_t>("sum", std::make_unique<Summing>()).to_channels<std::int64_t>(1);
  task.from_channels({{}, {}}).start();
  task.receive<std::int64_t>(0, {1, 2});
  task.receive_watermark(0, kMaxTimestamp);
  task.receive_end(0);
  EXPECT_EQ(task.run(), State::kIdle);
  task.receive<std::int64_t>(1, {4});
  task.receive_watermark(1, kMaxTimestamp);
  task.receive_end(1);
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"w max", "7", "1", "end"}));
  EXPECT_EQ(task.run(), State::kFinished);
  EXPECT_EQ(task.sent<std::int64_t>().size(), 4u);
}

TEST(TaskRunner, GivesTheLastWatermarkOnce) {
  TestTask task;
  task.then<std::int64_t>("sum", std::make_unique<Summing>()).to_channels<std::int64_t>(1);
  task.from_channels({{}}).start();
  task.receive_watermark(0, kMaxTimestamp);
  task.receive_end(0);
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"w max", "0", "1", "end"}));
}

TEST(TaskRunner, IsFinishedOnlyWhenAllIsSent) {
  TestTask task({.batches = 1, .bytes = kBatchBytes, .batch_records = 2});
  task.then<std::int64_t>("sum", std::make_unique<Summing>()).to_channels<std::int64_t>(1);
  task.from_channels({{}}).start();
  task.receive_end(0);
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished) << "one batch needs no credit";

  TestTask other({.batches = 1, .bytes = kBatchBytes, .batch_records = 2});
  other.then<std::int64_t>("negate", negate()).to_channels<std::int64_t>(1);
  other.from_channels({{}}).start();
  other.receive<std::int64_t>(0, {1, 2});
  other.receive<std::int64_t>(0, {3});
  other.receive_end(0);
  EXPECT_EQ(other.run_until_it_waits(), State::kBlocked);
  EXPECT_EQ(other.sent<std::int64_t>(), (Lines{"-1", "-2"}));
  other.give_credit(0);
  EXPECT_EQ(other.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(other.sent<std::int64_t>(), (Lines{"-1", "-2", "-3", "end"}));
}

TEST(TaskRunner, LetsOthersHaveTheirTurn) {
  TestTask task;
  task.then<std::int64_t>("negate", negate()).to_channels<std::int64_t>(1);
  task.from_channels({{}}).start();
  for (int i = 0; i < 20; ++i) task.receive<std::int64_t>(0, {i});
  EXPECT_EQ(task.run(), State::kReady);
  EXPECT_EQ(task.port.credits.size(), 8u);
  EXPECT_THAT(task.port.sent, IsEmpty()) << "the input has not run empty";
  EXPECT_EQ(task.run(), State::kReady);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>().size(), 20u);
}

TEST(TaskRunner, ReturnsTheErrorOfAnOperator) {
  TestTask task;
  task.then<std::int64_t>("picky", map([](std::int64_t i) {
                            if (i == 3) throw std::invalid_argument("three");
                            return i;
                          }));
  task.from_channels({{}}).start();
  task.receive<std::int64_t>(0, {1, 2, 3});
  EXPECT_EQ(task.runner->run().error(),
            user_code("operator 'picky' (subtask 1 of 1) threw std::invalid_argument: three"));
}

TEST(TaskRunner, AccountsForItsTime) {
  TestTask task({.batches = 1, .bytes = kBatchBytes, .batch_records = 1});
  task.then<std::int64_t>("slow", map([&clock = task.clock](std::int64_t i) {
                            clock.advance(5ms);
                            return i;
                          }));
  task.to_channels<std::int64_t>(1).from_channels({{}}).start();
  const auto times = [&] {
    const auto milliseconds = [](const Counter& c) { return c.value() / 1'000'000; };
    return std::vector<std::uint64_t>{milliseconds(task.metrics.busy_nanoseconds),
                                      milliseconds(task.metrics.idle_nanoseconds),
                                      milliseconds(task.metrics.backpressured_nanoseconds)};
  };
  task.clock.advance(7ms);
  task.receive<std::int64_t>(0, {1});
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_THAT(times(), ElementsAre(5, 7, 0));
  task.clock.advance(11ms);
  task.receive<std::int64_t>(0, {2});
  EXPECT_EQ(task.run(), State::kBlocked);
  EXPECT_THAT(times(), ElementsAre(10, 18, 0));
  task.clock.advance(100ms);
  task.give_credit(0);
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_THAT(times(), ElementsAre(10, 18, 100));
  for (int i = 0; i < 9; ++i) task.receive_watermark(0, at(i));
  EXPECT_EQ(task.run(), State::kReady);
  task.clock.advance(1ms);  // queued behind other tasks
  EXPECT_EQ(task.run(), State::kIdle);
  EXPECT_THAT(times(), ElementsAre(11, 18, 100));
}

}  // namespace
}  // namespace millrace::detail
