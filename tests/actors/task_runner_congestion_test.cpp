// A task whose keyed state has no memory left for what its writer has not written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/task_fixture.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::SizeIs;
using State = TaskRunner::State;

// Hands on what it takes; whether it is congested the test says.
class Congestible : public Operator, public KeyedBackend {
 public:
  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& out) override {
    for (; !in.done(); ++in.next) {
      if (out.full()) return Progress::kMore;
      out.get<std::int64_t>(0).push(in.as<std::int64_t>().values()[in.next]);
      ++processed;
    }
    return Progress::kDone;
  }
  Result<Progress> finish(Outputs& out) override {
    out.get<std::int64_t>(0).push(-1);
    return Progress::kDone;
  }
  KeyedBackend* keyed_backend() override { return this; }

  void freeze(const CheckpointName&, Done done) override { done_ = std::move(done); }
  Result<bool> work() override {
    ++calls;
    if (fails) return unavailable("the disk is full");
    if (congested_now || waits || !done_) return false;
    std::exchange(done_, {})(KeyedSnapshot());
    return true;
  }
  bool congested() override { return congested_now; }
  void report(StateMetrics& metrics) override { metrics.rows.set(processed); }
  void abandon(const CheckpointName&) override { done_ = {}; }
  void completed(const CheckpointName&) override {}

  bool congested_now = false;
  bool fails = false;
  bool waits = false;  // with its work
  int calls = 0;
  int processed = 0;

 private:
  Done done_;
};

struct CongestibleTask : TestTask {
  explicit CongestibleTask(ChannelLimits limits = {}) : TestTask(limits) {
    auto made = std::make_unique<Congestible>();
    state = made.get();
    then<std::int64_t>("state", std::move(made)).to_channels<std::int64_t>(1);
    from_channels({{}});
    start();
  }
  void tell_what_was_written() {
    for (auto& written : std::exchange(port.written, {})) {
      runner->on_written(written.checkpoint, written.index, std::move(written.keyed));
    }
  }

  Congestible* state;
};

TEST(TaskRunnerCongestion, TakesNoInputUntilTheWriterHasCaughtUp) {
  CongestibleTask task;
  task.state->congested_now = true;
  task.receive<std::int64_t>(0, {1}, Timestamp(5ms));
  task.receive_end(0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(task.run(), State::kBlocked);
    EXPECT_EQ(task.wake_after, 1ms);
  }
  EXPECT_EQ(task.sent<std::int64_t>(), Lines());
  EXPECT_EQ(task.state->calls, 3) << "it has its turn each time";
  task.state->congested_now = false;
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.wake_after, std::nullopt);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1", "-1", "w5", "end"}));
}

TEST(TaskRunnerCongestion, CountsTheTimeAsBackpressure) {
  CongestibleTask task;
  task.state->congested_now = true;
  (void)task.run();
  task.clock.advance(7ms);
  (void)task.run();
  EXPECT_EQ(task.metrics.backpressured_nanoseconds.value(), 7'000'000U);
}

TEST(TaskRunnerMetrics, BringsThoseOfKeyedStateUpToDateWhenItRests) {
  CongestibleTask task;
  task.receive<std::int64_t>(0, {1, 2, 3});
  (void)task.run_until_it_waits();
  EXPECT_EQ(task.metrics.states[0].rows.value(), 3);
}

TEST(TaskRunnerCongestion, StopsInTheMiddleOfABatchToo) {
  CongestibleTask task({.batches = 1, .bytes = kBatchBytes, .batch_records = 1});
  task.receive<std::int64_t>(0, std::vector<std::int64_t>(10 * kBatchRecords, 1));
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  const int processed = task.state->processed;
  task.state->congested_now = true;
  task.give_credit(0);
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_EQ(task.state->processed, processed);
}

TEST(TaskRunnerCongestion, GivesABarrierThatWaitedInItsPlace) {
  CongestibleTask task;
  task.receive<std::int64_t>(0, {1});
  task.receive_barrier(0, 1);
  task.receive<std::int64_t>(0, {2});
  task.state->congested_now = true;
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  task.state->congested_now = false;
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  task.give_credit(0);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1", "barrier 1", "2"}));
  task.tell_what_was_written();
  EXPECT_THAT(task.port.acknowledged, SizeIs(1));
}

TEST(TaskRunnerCongestion, LooksAgainWhileAFinishedTasksStateIsPartOfACheckpoint) {
  CongestibleTask task;
  task.receive_barrier(0, 1);
  task.receive_end(0);
  task.state->waits = true;
  ASSERT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.wake_after, std::nullopt);
  task.state->congested_now = true;
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.wake_after, 1ms);
}

TEST(TaskRunnerCongestion, AsksNothingOfTheStateOfATaskThatHasFinished) {
  CongestibleTask task;
  task.receive_end(0);
  ASSERT_EQ(task.run_until_it_waits(), State::kFinished);
  task.state->congested_now = true;
  task.state->fails = true;
  task.receive_barrier(0, 1);
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.wake_after, std::nullopt);
  EXPECT_THAT(task.port.acknowledged, SizeIs(1));
}

}  // namespace
}  // namespace millrace::detail
