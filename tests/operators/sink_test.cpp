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

  Status open(SinkContext& context) override { return note("open " + context.name()); }
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
  EXPECT_THAT(log, ElementsAre("open diary", "b", "c", "flush", "prepare 7", "commit 7", "commit 7",
                               "close"));
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
