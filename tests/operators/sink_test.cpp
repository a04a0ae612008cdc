#include "millrace/operators/sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/operator_harness.h"

namespace millrace {
namespace {

using testing::ElementsAre;

using Log = std::vector<std::string>;

class Diary : public Sink<std::string> {
 public:
  explicit Diary(Log& log) : log_(log) {}

  Status open(SinkContext& context) override {
    return note("open " + context.name() + " at " + std::to_string(context.subtask()));
  }
  Status write(std::span<const std::string> values) override {
    for (const std::string& value : values) {
      if (value == "bad") return invalid_argument("a bad value");
      log_.push_back(value);
    }
    return {};
  }
  Status flush() override { return note("flush"); }
  Status prepare(CheckpointId id) override { return note("prepare " + to_string(id)); }
  Status commit(CheckpointId id) override { return note("commit " + to_string(id)); }
  Status close() override { return note("close"); }

 private:
  Status note(std::string what) {
    log_.push_back(std::move(what));
    return {};
  }

  Log& log_;
};

TEST(Sink, GetsEachCallInTheOrderOfItsLife) {
  Log log;
  detail::SinkOperator<Diary> sink([&] { return Diary(log); });
  detail::OutputRecorder recorder({}, kBatchRecords);
  detail::OperatorContext context;
  context.name = "diary";
  ASSERT_TRUE(sink.open(context));
  const detail::BatchPtr batch = detail::batch_of<std::string>({"a", "b", "c"});
  detail::Cursor cursor{.batch = &*batch, .next = 1};
  ASSERT_TRUE(sink.process(0, cursor, recorder.outputs()));
  EXPECT_TRUE(cursor.done());
  ASSERT_TRUE(sink.flush());
  ASSERT_TRUE(sink.prepare(CheckpointId(7)));
  ASSERT_TRUE(sink.commit(CheckpointId(7)));
  ASSERT_TRUE(sink.commit(CheckpointId(7)));
  ASSERT_TRUE(sink.close());
  EXPECT_THAT(log,
              ElementsAre("open diary at 0", "b", "c", "flush", "prepare 7", "commit 7", "close"));
}

detail::OperatorContext at_subtask(std::uint32_t subtask) {
  detail::OperatorContext context;
  context.name = "diary";
  context.subtask = SubtaskIndex(subtask);
  return context;
}

// Of checkpoint 7, prepared by subtasks 0 and 1, and committed by neither.
detail::Snapshot prepared_by_two(Log& log) {
  detail::StatePiece piece;
  for (const std::uint32_t subtask : {0, 1}) {
    detail::SinkOperator<Diary> sink([&] { return Diary(log); });
    EXPECT_TRUE(sink.open(at_subtask(subtask)));
    EXPECT_TRUE(sink.prepare(CheckpointId(7)));
    detail::Snapshot snapshot;
    EXPECT_TRUE(sink.snapshot(snapshot));
    const detail::StatePiece& own = *snapshot.find(".prepared");
    EXPECT_EQ(own.redistribution, detail::Redistribution::kSplit);
    piece.elements.insert(piece.elements.end(), own.elements.begin(), own.elements.end());
  }
  log.clear();
  detail::Snapshot both;
  both.put(".prepared", std::move(piece));
  return both;
}

TEST(Sink, CommitsWhatAnotherSubtaskPreparedInThatOnesPlace) {
  Log log;
  const detail::Snapshot snapshot = prepared_by_two(log);
  detail::SinkOperator<Diary> sink([&] { return Diary(log); });
  ASSERT_TRUE(sink.restore(snapshot));
  ASSERT_TRUE(sink.open(at_subtask(0)));
  EXPECT_THAT(log, ElementsAre("open diary at 0"))
      << "nothing is committed before the sink is open";
  ASSERT_TRUE(sink.commit(CheckpointId(7)));
  EXPECT_THAT(log,
              ElementsAre("open diary at 0", "commit 7", "open diary at 1", "commit 7", "close"));
}

TEST(Sink, RemembersWhatItCouldNotCommit) {
  struct Unlucky : Sink<std::string> {
    explicit Unlucky(int& f) : failures(f) {}
    Status write(std::span<const std::string>) override { return {}; }
    Status commit(CheckpointId) override {
      return failures-- > 0 ? unavailable("not now") : Status();
    }
    int& failures;
  };
  int failures = 1;
  detail::SinkOperator<Unlucky> sink([&] { return Unlucky(failures); });
  ASSERT_TRUE(sink.open(at_subtask(0)));
  ASSERT_TRUE(sink.prepare(CheckpointId(1)));
  EXPECT_FALSE(sink.commit(CheckpointId(1)));
  detail::Snapshot snapshot;
  ASSERT_TRUE(sink.snapshot(snapshot));
  EXPECT_EQ(snapshot.find(".prepared")->elements.size(), 1U);
  EXPECT_TRUE(sink.commit(CheckpointId(1)));
}

// It would be opened in other subtasks' places to no purpose.
TEST(Sink, RemembersNothingWhereItHasNoCommit) {
  struct Plain : Sink<std::string> {
    Status write(std::span<const std::string>) override { return {}; }
  };
  detail::SinkOperator<Plain> sink([] { return Plain(); });
  ASSERT_TRUE(sink.open(at_subtask(0)));
  ASSERT_TRUE(sink.prepare(CheckpointId(1)));
  detail::Snapshot snapshot;
  ASSERT_TRUE(sink.snapshot(snapshot));
  EXPECT_TRUE(snapshot.find(".prepared")->elements.empty());
}

TEST(Sink, RefusesAListThatIsDamaged) {
  Log log;
  detail::SinkOperator<Diary> sink([&] { return Diary(log); });
  detail::Snapshot snapshot;
  snapshot.put(".prepared", "damaged");
  EXPECT_EQ(sink.restore(snapshot).error().code(), ErrorCode::kCorruption);
}

TEST(Sink, ReturnsItsErrors) {
  Log log;
  detail::SinkOperator<Diary> sink([&] { return Diary(log); });
  detail::OutputRecorder recorder({}, kBatchRecords);
  const detail::BatchPtr batch = detail::batch_of<std::string>({"a", "bad"});
  detail::Cursor cursor{.batch = &*batch};
  EXPECT_EQ(sink.process(0, cursor, recorder.outputs()).error(), invalid_argument("a bad value"));
}

TEST(Sink, WritesEveryRecordOnceAndLeavesThemToOtherReaders) {
  Log log;
  detail::OperatorHarness harness(
      [&] { return std::make_unique<detail::SinkOperator<Diary>>([&] { return Diary(log); }); },
      {});
  harness.batch<std::string>(0, {"a", "b", "c", "d"}).batch<std::string>(0, {"e"}).finish();
  (void)harness.run();
  std::erase_if(log, [](const std::string& line) { return line.size() > 1; });
  ASSERT_EQ(log.size() % 5, 0u);
  for (std::size_t i = 0; i < log.size(); ++i) ASSERT_EQ(log[i], std::string(1, "abcde"[i % 5]));
}

}  // namespace
}  // namespace millrace
