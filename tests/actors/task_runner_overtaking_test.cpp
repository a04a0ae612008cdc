#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/summing_task.h"
#include "millrace/operators/stateless.h"
#include "support/memory_stores.h"

namespace millrace::detail {
namespace {

using testing::IsEmpty;
using State = TaskRunner::State;

CheckpointId id(std::uint64_t number) { return CheckpointId(number); }

// A task whose barriers can overtake.
struct OvertakingTask : SummingTask {
  explicit OvertakingTask(ChannelLimits limits = {}) : SummingTask(limits) {
    const ChannelRecords numbers{.type = &type_of<std::int64_t>(),
                                 .prototype = make_batch<std::int64_t>()};
    from_channels({{.records = numbers}, {.records = numbers}});
  }
  TaskStart with_stores(TaskStart start = {}) {
    start.state.checkpoints = &checkpoints;
    start.state.executor = &executor;
    return start;
  }
  void report_stored() {
    for (auto& [checkpoint, file] : std::exchange(port.stored, {})) {
      runner->on_stored(checkpoint, std::move(file));
    }
  }

  test_support::MemoryCheckpoints checkpoints;
  InlineExecutor executor;
};

TEST(TaskRunnerOvertaking, TakesACheckpointBeforeItsTurnWhenItsBarrierHasWaitedTooLong) {
  OvertakingTask task;
  task.start(task.with_stores());
  task.receive_barrier(0, 1, at(1'000));
  task.receive<std::int64_t>(0, {1});  // behind it
  task.receive<std::int64_t>(1, {2});
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  EXPECT_EQ(task.wake_after, std::chrono::seconds(1));
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"2"}));
  task.clock.advance(std::chrono::seconds(1));
  task.receive<std::int64_t>(1, {4});
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  task.give_credit(0);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"2", "barrier 1", "3", "7"}));
  task.receive_barrier(1, 1, at(1'000));
  task.write_keyed_state();
  EXPECT_THAT(task.port.acknowledged, IsEmpty()) << "records in flight are not stored yet";
  task.report_stored();
  ASSERT_EQ(task.port.acknowledged.size(), 1U);
  const TaskSnapshot& snapshot = task.port.acknowledged[0].second;
  EXPECT_EQ(snapshot.operators[0].pieces.at("sum").elements, std::vector<std::string>{"2"});
  ASSERT_EQ(snapshot.in_flight.size(), 1U);

  OvertakingTask again;
  again.checkpoints.files = task.checkpoints.files;
  TaskStart start{.checkpoint = id(1)};
  start.restored.operators = {{.snapshot = Snapshot()}};
  start.restored.operators[0].snapshot->put("sum", "2");
  start.restored.in_flight = snapshot.in_flight;
  again.start(again.with_stores(std::move(start)));
  (void)again.run_until_it_waits();
  EXPECT_EQ(again.sent<std::int64_t>(), (Lines{"6"})) << "4 was in flight, 1 came behind";
  EXPECT_THAT(again.port.credits, IsEmpty()) << "nobody gave credit for what was restored";
}

TEST(TaskRunnerOvertaking, ItsBarrierOvertakesWhatWaitsForCredit) {
  OvertakingTask task({.batches = 1, .bytes = kBatchBytes, .batch_records = 1});
  task.start(task.with_stores());
  for (const std::int64_t n : {1, 2}) {
    task.receive<std::int64_t>(0, {n});
    (void)task.run_until_it_waits();
  }
  for (const std::size_t channel : {0, 1}) task.receive_barrier(channel, 1, at(1'000));
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_EQ(task.wake_after, std::chrono::seconds(1));
  task.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1", "barrier 1"}));
  task.write_keyed_state();
  task.report_stored();
  ASSERT_EQ(task.port.acknowledged.size(), 1U);

  OvertakingTask again;
  again.checkpoints.files = task.checkpoints.files;
  TaskStart start{.checkpoint = id(1)};
  start.restored.operators = {{.snapshot = Snapshot()}};
  start.restored.operators[0].snapshot->put("sum", "3");
  start.restored.in_flight = task.port.acknowledged[0].second.in_flight;
  again.start(again.with_stores(std::move(start)));
  EXPECT_THAT(again.sent<std::int64_t>(), IsEmpty()) << "others may not be open yet";
  again.runner->start();
  EXPECT_EQ(again.sent<std::int64_t>(), (Lines{"3"}));
}

// Nothing is to be written, so the checkpoint is acknowledged as soon as it is taken.
TEST(TaskRunnerOvertaking, TakesNoMoreThanThereIsCreditForOnceItsBarrierIsGone) {
  OvertakingTask stores;
  TestTask task({.batches = 2, .bytes = 2 * kBatchBytes, .batch_records = 1});
  const auto same = [](std::int64_t i) { return i; };
  task.then<std::int64_t>(
      "same", std::make_unique<MapOperator<std::int64_t, std::int64_t, decltype(same)>>(same));
  task.to_channels<std::int64_t>(1);
  task.from_channels(
      {{.records = {.type = &type_of<std::int64_t>(), .prototype = make_batch<std::int64_t>()}}});
  task.start(stores.with_stores());
  task.receive_barrier(0, 1, at(0));
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  ASSERT_EQ(task.port.acknowledged.size(), 1U);
  for (const std::int64_t number : {1, 2, 3, 4, 5}) task.receive<std::int64_t>(0, {number});
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_EQ(task.port.credits.size(), 3U) << "two were sent, and one waits for credit";
}

TEST(TaskRunnerOvertaking, DeclinesACheckpointWhoseRecordsInFlightCannotBeStored) {
  OvertakingTask task;
  task.start(task.with_stores());
  task.checkpoints.fail_put = [] { return unavailable("the disk is full"); };
  task.receive<std::int64_t>(1, {2});
  task.receive_barrier(0, 1, at(0));
  (void)task.run_until_it_waits();
  task.receive<std::int64_t>(1, {4});
  task.receive_barrier(1, 1, at(0));
  task.write_keyed_state();
  task.report_stored();
  EXPECT_THAT(task.port.acknowledged, IsEmpty());
  ASSERT_EQ(task.port.declined.size(), 1U);
  EXPECT_EQ(task.port.declined[0].second,
            unavailable("writing records in flight: the disk is full"));
}

TEST(TaskRunnerOvertaking, RefusesRecordsInFlightOfAnotherTask) {
  OvertakingTask task;
  const auto file = task.checkpoints.put({id(1), 1}, "in-flight", "garbage");
  TaskStart start{.checkpoint = id(1)};
  start.restored.in_flight = {*file};
  EXPECT_EQ(task.open(task.with_stores(std::move(start))).error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace millrace::detail
