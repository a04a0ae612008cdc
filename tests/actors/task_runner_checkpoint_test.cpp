#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/summing_task.h"
#include "millrace/operators/sink.h"
#include "millrace/operators/source.h"
#include "millrace/operators/stateless.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using State = TaskRunner::State;

CheckpointId id(std::uint64_t number) { return CheckpointId(number); }

TEST(TaskRunnerCheckpoint, SendsTheBarrierAtOnceAndAcknowledgesWhenKeyedStateIsWritten) {
  SummingTask task;
  task.start({.epoch = 4});
  task.receive<std::int64_t>(0, {1, 2});
  task.receive_barriers(1);
  task.receive<std::int64_t>(1, {4});
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  task.give_credit(0);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"3", "barrier 1", "7"}));
  EXPECT_THAT(task.log, ElementsAre("open", "freeze chk-1-4"));
  EXPECT_THAT(task.port.acknowledged, IsEmpty());
  task.write_keyed_state();
  ASSERT_EQ(task.port.acknowledged.size(), 1U);
  const auto& [checkpoint, snapshot] = task.port.acknowledged[0];
  EXPECT_EQ(checkpoint, id(1));
  EXPECT_FALSE(snapshot.finished);
  ASSERT_EQ(snapshot.operators.size(), 1U);
  EXPECT_EQ(snapshot.operators[0].name, "sum");
  EXPECT_EQ(snapshot.operators[0].pieces.at("sum").elements, std::vector<std::string>{"3"});
  ASSERT_EQ(snapshot.operators[0].keyed.size(), 1U);
  EXPECT_EQ(snapshot.operators[0].keyed[0].last_group, 127U);
  ASSERT_TRUE(task.runner->on_complete(id(1)));
  EXPECT_EQ(task.log.back(), "completed chk-1-4");
}

// The word of the coordinator comes another way than barriers do: files of an older checkpoint may
// be gone by now.
TEST(TaskRunnerCheckpoint, LearnsFromTheBarrierWhichCheckpointIsComplete) {
  SummingTask task;
  task.start({.epoch = 4});
  task.receive_barriers(1);
  (void)task.run_until_it_waits();
  task.write_keyed_state();
  task.receive_barriers(2, {}, 1);
  (void)task.run_until_it_waits();
  EXPECT_THAT(task.log,
              ElementsAre("open", "freeze chk-1-4", "completed chk-1-4", "freeze chk-2-4"));
  ASSERT_TRUE(task.runner->on_complete(id(1)));
  EXPECT_EQ(task.log.back(), "freeze chk-2-4") << "it is no news";
}

TEST(TaskRunnerCheckpoint, IsReadyAsLongAsKeyedStateIsAtWork) {
  SummingTask task;
  task.start();
  task.sum->pieces = 20;
  EXPECT_EQ(task.run(), State::kReady);
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  EXPECT_EQ(task.sum->pieces, 0);
}

TEST(TaskRunnerCheckpoint, TakesTheBarrierBehindAllThatItGave) {
  SummingTask task({.batches = 1, .bytes = kBatchBytes, .batch_records = 1});
  task.start();
  for (int i = 0; i < 3; ++i) task.receive<std::int64_t>(0, {1});
  task.receive_barriers(1);
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1"}));
  task.give_credit(0);
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  task.give_credit(1);
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"1", "2", "3", "barrier 1"}));
}

TEST(TaskRunnerCheckpoint, AbandonsWhatIsFrozenWhenTheCheckpointIsAborted) {
  SummingTask task;
  task.start({.epoch = 4});
  task.receive_barriers(1);
  (void)task.run_until_it_waits();
  ASSERT_TRUE(task.runner->on_abort(id(1)));
  EXPECT_EQ(task.log.back(), "abandon chk-1-4");
  task.write_keyed_state();
  EXPECT_THAT(task.port.acknowledged, IsEmpty());
  task.receive_barriers(2);
  (void)task.run_until_it_waits();
  task.write_keyed_state();
  EXPECT_EQ(task.port.acknowledged.size(), 1U);
}

TEST(TaskRunnerCheckpoint, AbandonsWhatWasWrittenAndThenAborted) {
  SummingTask task;
  task.start();
  task.receive_barriers(1);
  (void)task.run_until_it_waits();
  task.write_keyed_state();
  ASSERT_TRUE(task.runner->on_abort(id(1)));
  EXPECT_EQ(task.log.back(), "abandon chk-1-0");
  ASSERT_TRUE(task.runner->on_abort(id(1)));
  EXPECT_EQ(task.log.size(), 3U) << "nothing is frozen any more";
}

TEST(TaskRunnerCheckpoint, DeclinesWhenKeyedStateCannotBeWritten) {
  SummingTask task;
  task.start();
  task.sum->result = unavailable("the disk is full");
  task.receive_barriers(1);
  (void)task.run_until_it_waits();
  task.write_keyed_state();
  ASSERT_EQ(task.port.declined.size(), 1U);
  EXPECT_EQ(task.port.declined[0].second,
            unavailable("operator 'sum' (subtask 1 of 1): the disk is full"));
  EXPECT_EQ(task.log.back(), "abandon chk-1-0");
  EXPECT_EQ(task.run_until_it_waits(), State::kIdle) << "the stream goes on";
}

TEST(TaskRunnerCheckpoint, FailsWhereASnapshotOrTheWorkOnKeyedStateDoes) {
  SummingTask snapshot;
  snapshot.start();
  snapshot.sum->fail_snapshot = true;
  snapshot.receive_barriers(1);
  EXPECT_EQ(snapshot.runner->run().error(),
            unavailable("operator 'sum' (subtask 1 of 1): no snapshot"));
  SummingTask work;
  work.start();
  work.sum->fail_work = true;
  EXPECT_EQ(work.runner->run().error(), unavailable("operator 'sum' (subtask 1 of 1): no memory"));
}

TEST(TaskRunnerCheckpoint, TakesPartWhenItHasFinishedButWithoutKeyedState) {
  SummingTask task;
  task.start();
  task.receive_end(0);
  task.receive_end(1);
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  task.receive_barriers(1);
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"-1", "end", "barrier 1"}));
  ASSERT_EQ(task.port.acknowledged.size(), 1U);
  EXPECT_TRUE(task.port.acknowledged[0].second.finished);
  EXPECT_THAT(task.port.acknowledged[0].second.operators[0].keyed, IsEmpty());
  EXPECT_THAT(task.log, ElementsAre("open"));
  EXPECT_TRUE(task.runner->on_complete(id(1)));
}

TEST(TaskRunnerCheckpoint, HasNotFinishedBeforeABarrierThatCameBeforeAnEnd) {
  for (const auto mode : {CheckpointMode::kExactlyOnce, CheckpointMode::kAtLeastOnce}) {
    SummingTask task;
    task.start({.mode = mode});
    task.receive_barrier(0, 1);
    task.receive_end(0);
    task.receive_end(1);
    EXPECT_EQ(task.run_until_it_waits(), State::kIdle);
    task.receive_barrier(1, 1);
    (void)task.run_until_it_waits();
    task.write_keyed_state();
    ASSERT_EQ(task.port.acknowledged.size(), 1U);
    EXPECT_FALSE(task.port.acknowledged[0].second.finished);
    EXPECT_EQ(task.port.acknowledged[0].second.operators[0].keyed.size(), 1U);
    EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"barrier 1", "-1", "end"}));
  }
}

TEST(TaskRunnerCheckpoint, GivesBackTheCreditOfRecordsThatComeThoughItHadFinished) {
  SummingTask task;
  TaskStart start{.checkpoint = id(3)};
  start.restored.finished = true;
  task.start(std::move(start));
  task.receive<std::int64_t>(1, {1, 2});
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  ASSERT_EQ(task.port.credits.size(), 1U);
  EXPECT_EQ(task.port.credits[0].channel, 1U);
  EXPECT_EQ(task.port.credits[0].bytes, 2 * sizeof(std::int64_t));
}

// Whatever else the task has heard of: it may come from another process than the coordinator's.
TEST(TaskRunnerCheckpoint, LearnsFromItsBarrierThatACheckpointIsASavepoint) {
  SummingTask task;
  NamedSavepoints savepoints;
  task.start({.epoch = 4, .savepoints = &savepoints});
  task.log.clear();
  task.receive_barriers(1);
  task.write_keyed_state();
  EXPECT_EQ(task.log, (Lines{"freeze chk-1-4"}));
  ASSERT_TRUE(task.runner->on_complete(id(1)));
  task.log.clear();
  task.receive_barriers(2, {.path = "saved"});
  task.write_keyed_state();
  EXPECT_EQ(task.log, (Lines{"save rows as 0-0", "freeze chk-2-4"}));
  EXPECT_EQ(savepoints.opened, (Lines{"saved"}));
  const Element& sent = task.port.sent[0].back();
  ASSERT_EQ(sent.kind, Element::Kind::kBarrier);
  ASSERT_NE(sent.barrier.savepoint, nullptr);
  EXPECT_EQ(sent.barrier.savepoint->path, "saved");
}

// The news may come from the coordinator after a barrier from another task.
TEST(TaskRunnerCheckpoint, TellsKeyedStateThatACheckpointIsCompleteThoughTheNextHasBegun) {
  SummingTask task;
  task.start({.epoch = 4});
  for (const std::uint64_t checkpoint : {1, 2}) {
    task.receive_barriers(checkpoint);
    task.write_keyed_state();
  }
  ASSERT_TRUE(task.runner->on_complete(id(1)));
  EXPECT_EQ(task.log.back(), "completed chk-1-4");
  ASSERT_TRUE(task.runner->on_complete(id(2)));
  EXPECT_EQ(task.log.back(), "completed chk-2-4");
}

TEST(TaskRunnerCheckpoint, GivesTheKeyedStateOfAFinishedTaskToASavepoint) {
  SummingTask task;
  NamedSavepoints savepoints;
  task.start({.savepoints = &savepoints});
  task.receive_end(0);
  task.receive_end(1);
  (void)task.run_until_it_waits();
  task.receive_barriers(1, {.path = "saved"});
  task.write_keyed_state();
  ASSERT_EQ(task.port.acknowledged.size(), 1U);
  EXPECT_TRUE(task.port.acknowledged[0].second.finished);
  EXPECT_EQ(task.port.acknowledged[0].second.operators[0].keyed.size(), 1U);
}

TEST(TaskRunnerCheckpoint, RestoresBeforeItOpens) {
  SummingTask task;
  TaskStart start{.checkpoint = id(3)};
  start.restored.operators = {{.snapshot = Snapshot(), .keyed = {{.first_group = 64}}}};
  start.restored.operators[0].snapshot->put("sum", "10");
  task.start(std::move(start));
  EXPECT_THAT(task.log, ElementsAre("restore", "keyed 64", "open"));
  task.receive<std::int64_t>(0, {1});
  (void)task.run_until_it_waits();
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"11"}));
}

TEST(TaskRunnerCheckpoint, ReturnsTheErrorOfARestore) {
  SummingTask task;
  TaskStart start{.checkpoint = id(3)};
  start.restored.operators = {{.snapshot = Snapshot()}};
  EXPECT_EQ(task.open(std::move(start)).error(),
            not_found("operator 'sum' (subtask 1 of 1): the snapshot holds no piece 'sum' of one "
                      "element"));
}

TEST(TaskRunnerCheckpoint, EndsAtOnceWhereItHadFinished) {
  SummingTask task;
  TaskStart start{.checkpoint = id(3)};
  start.restored.finished = true;
  task.start(std::move(start));
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"w max", "end"})) << "finish() is not called again";
  task.receive_end(0);  // the tasks before it end again too
  task.receive_end(1);
  task.receive_barriers(4);
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"w max", "end", "barrier 4"}));
  EXPECT_TRUE(task.port.acknowledged.at(0).second.finished);
}

TEST(TaskRunnerCheckpoint, DeclinesWhatAnInputReadFirstWouldHoldUp) {
  TestTask task;
  const auto same = [](std::int64_t i) { return i; };
  task.then<std::int64_t>(
      "same", std::make_unique<MapOperator<std::int64_t, std::int64_t, decltype(same)>>(same));
  task.from_channels({{}, {.input = 0, .read_first = true}}).start();
  task.receive<std::int64_t>(0, {1});
  task.receive_barrier(0, 1);
  ASSERT_EQ(task.port.declined.size(), 1U);
  EXPECT_EQ(task.port.declined[0].first, id(1));
  EXPECT_EQ(task.port.declined[0].second, std::nullopt);
}

class Diary : public Sink<std::int64_t> {
 public:
  explicit Diary(Lines& log) : log_(log) {}

  Status write(std::span<const std::int64_t> values) override {
    return note(concat("write ", values.size()));
  }
  Status flush() override { return note("flush"); }
  Status prepare(CheckpointId checkpoint) override {
    return note("prepare " + to_string(checkpoint));
  }
  Status commit(CheckpointId checkpoint) override {
    return note("commit " + to_string(checkpoint));
  }
  Status close() override { return note("close"); }

 private:
  Status note(std::string what) {
    log_.push_back(std::move(what));
    return {};
  }
  Lines& log_;
};

void start_diary(TestTask& task, Lines& log, TaskStart start = {}) {
  task.then<std::int64_t>("diary",
                          std::make_unique<SinkOperator<Diary>>([&log] { return Diary(log); }));
  task.from_channels(std::vector<InputChannel>(1)).start(std::move(start));
}

TEST(TaskRunnerCheckpoint, PreparesItsSinksAndCommitsWhenTheCheckpointIsComplete) {
  Lines log;
  TestTask task;
  start_diary(task, log);
  task.receive<std::int64_t>(0, {1, 2, 3});
  task.receive_barrier(0, 1);
  task.receive<std::int64_t>(0, {4});
  (void)task.run_until_it_waits();
  EXPECT_THAT(log, ElementsAre("write 3", "flush", "prepare 1", "write 1", "flush"));
  log.clear();
  ASSERT_TRUE(task.runner->on_complete(id(1)));
  ASSERT_TRUE(task.runner->on_complete(id(1))) << "again changes nothing";
  EXPECT_TRUE(task.runner->close());
  EXPECT_THAT(log, ElementsAre("commit 1", "close"));
}

TEST(TaskRunnerCheckpoint, CommitsAnAbortedCheckpointWithTheNext) {
  Lines log;
  TestTask task;
  start_diary(task, log);
  task.receive_barrier(0, 1);
  (void)task.run_until_it_waits();
  ASSERT_TRUE(task.runner->on_abort(id(1)));
  task.receive_barrier(0, 2);
  (void)task.run_until_it_waits();
  log.clear();
  ASSERT_TRUE(task.runner->on_complete(id(2)));
  EXPECT_THAT(log, ElementsAre("commit 1", "commit 2"));
}

TEST(TaskRunnerCheckpoint, CommitsAgainWhatWasPreparedForTheCheckpointItGoesOnFrom) {
  Lines log;
  TaskStart start{.checkpoint = id(1)};
  {
    TestTask task;
    start_diary(task, log);
    task.receive_barrier(0, 1);
    (void)task.run_until_it_waits();
    const auto& pieces = task.port.acknowledged.at(0).second.operators[0].pieces;
    start.restored.operators = {
        {.snapshot = Snapshot(Snapshot::Pieces(pieces.begin(), pieces.end()))}};
  }
  log.clear();
  TestTask task;
  start_diary(task, log, std::move(start));
  EXPECT_THAT(log, ElementsAre("commit 1"));
}

class Unlucky : public Sink<std::int64_t> {
 public:
  Status write(std::span<const std::int64_t>) override { return {}; }
  Status prepare(CheckpointId checkpoint) override {
    return checkpoint == id(2) ? unavailable("the disk is full") : Status();
  }
  Status commit(CheckpointId) override { return unavailable("the disk is gone"); }
};

TEST(TaskRunnerCheckpoint, ReturnsTheErrorsOfASinkThatCannotPrepareOrCommit) {
  TestTask task;
  task.then<std::int64_t>("unlucky",
                          std::make_unique<SinkOperator<Unlucky>>([] { return Unlucky(); }));
  task.from_channels(std::vector<InputChannel>(1)).start();
  task.receive_barrier(0, 1);
  (void)task.run_until_it_waits();
  EXPECT_EQ(task.runner->on_complete(id(1)).error(),
            unavailable("operator 'unlucky' (subtask 1 of 1): the disk is gone"));
  task.receive_barrier(0, 2);
  EXPECT_EQ(task.runner->run().error(),
            unavailable("operator 'unlucky' (subtask 1 of 1): the disk is full"));
}

// Emits the numbers of its splits; a split is a number.
class Numbers : public SplitSource<std::int64_t, std::int64_t> {
 public:
  Result<std::vector<std::int64_t>> discover(std::uint32_t) override {
    return std::vector<std::int64_t>();
  }
  Status open_split(const std::int64_t&) override { return {}; }
  Result<Poll> poll(std::int64_t& split, Collector<std::int64_t>& out) override {
    out.emit(split);
    return Poll::end();
  }
};

std::string split_of(std::int64_t number) { return *encode_value(number); }

void start_numbers(TestTask& task) {
  task.then<std::int64_t>("numbers",
                          std::make_unique<SplitSourceOperator<Numbers>>([] { return Numbers(); }));
  task.to_channels<std::int64_t>(1).start();
}

TEST(TaskRunnerCheckpoint, TakesASourcesShareWhenItIsTriggered) {
  TestTask task;
  start_numbers(task);
  ASSERT_TRUE(task.runner->on_split(split_of(5)));
  (void)task.run_until_it_waits();
  ASSERT_TRUE(task.runner->on_trigger({id(1)}));
  (void)task.run_until_it_waits();
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"5", "barrier 1"}));
  EXPECT_EQ(task.port.acknowledged.size(), 1U);
}

TEST(TaskRunnerCheckpoint, NeedsNoCreditForASourcesShare) {
  TestTask task({.batches = 1, .bytes = kBatchBytes, .batch_records = 1});
  start_numbers(task);
  for (const std::int64_t number : {5, 6, 7}) {
    ASSERT_TRUE(task.runner->on_split(split_of(number)));
    (void)task.run_until_it_waits();
  }
  EXPECT_EQ(task.run(), State::kBlocked);
  ASSERT_TRUE(task.runner->on_trigger({id(1)}));
  EXPECT_EQ(task.run_until_it_waits(), State::kBlocked);
  EXPECT_EQ(task.port.acknowledged.size(), 1U);
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"5"})) << "the barrier keeps its place";
}

// What came behind the trigger is in the enumerator's snapshot, or was left when that was taken.
TEST(TaskRunnerCheckpoint, LeavesOutASplitThatCameBehindTheTrigger) {
  TestTask task;
  start_numbers(task);
  (void)task.run_until_it_waits();
  ASSERT_TRUE(task.runner->on_trigger({id(1)}));
  ASSERT_TRUE(task.runner->on_split(split_of(5)));
  (void)task.run_until_it_waits();
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"barrier 1", "5"}));
  ASSERT_TRUE(task.runner->on_trigger({id(2)}));
  ASSERT_TRUE(task.runner->on_split(std::nullopt));
  ASSERT_TRUE(task.runner->on_abort(id(2)));
  EXPECT_EQ(task.run_until_it_waits(), State::kFinished) << "an aborted trigger holds nothing back";
}

// The abort comes from the coordinator, the triggers through the enumerator of another host.
TEST(TaskRunnerCheckpoint, TakesTheNextTriggerThatOvertookTheAbort) {
  TestTask task;
  start_numbers(task);
  (void)task.run_until_it_waits();
  ASSERT_TRUE(task.runner->on_trigger({id(1)}));
  ASSERT_TRUE(task.runner->on_split(split_of(5)));
  ASSERT_TRUE(task.runner->on_trigger({id(2)}));
  ASSERT_TRUE(task.runner->on_abort(id(1)));
  (void)task.run_until_it_waits();
  ASSERT_EQ(task.port.acknowledged.size(), 1U);
  EXPECT_EQ(task.port.acknowledged[0].first, id(2));
  EXPECT_EQ(task.port.acknowledged[0].second.operators[0].pieces.size(), 1U) << "the split";
  EXPECT_EQ(task.sent<std::int64_t>(), (Lines{"barrier 2", "5"}));
}

TEST(TaskRunnerCheckpoint, IgnoresATriggerThatTheAbortOvertook) {
  TestTask task;
  start_numbers(task);
  ASSERT_TRUE(task.runner->on_abort(id(1)));
  ASSERT_TRUE(task.runner->on_trigger({id(1)}));
  (void)task.run_until_it_waits();
  EXPECT_THAT(task.port.acknowledged, IsEmpty());
  ASSERT_TRUE(task.runner->on_trigger({id(2)}));
  (void)task.run_until_it_waits();
  EXPECT_EQ(task.port.acknowledged.size(), 1U);
}

}  // namespace
}  // namespace millrace::detail
