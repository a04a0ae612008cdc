#include "millrace/connectors/memory/collect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "connectors/drive.h"
#include "millrace/connectors/memory/discard.h"

namespace millrace::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Collect, ShowsRecordsOnceTheirCheckpointIsComplete) {
  Collected<std::string> collected;
  SinkDrive<std::string> sink(collect(collected).bind<std::string>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({"a", "b"}));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  EXPECT_THAT(collected.values(), IsEmpty());
  ASSERT_TRUE(sink->commit(CheckpointId(1)));
  ASSERT_TRUE(sink->commit(CheckpointId(1)));
  EXPECT_THAT(collected.values(), ElementsAre("a", "b"));
}

TEST(Collect, FillsAVector) {
  std::vector<std::int64_t> into{0};
  SinkDrive<std::int64_t> sink(collect(into).bind<std::int64_t>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({1, 2}));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  ASSERT_TRUE(sink->commit(CheckpointId(1)));
  EXPECT_THAT(into, ElementsAre(0, 1, 2));
}

TEST(Collect, IsExactlyOnceOverARestore) {
  Collected<std::int64_t> collected;
  const SinkSpec spec = collect(collected).bind<std::int64_t>();
  detail::Snapshot snapshot;
  {
    SinkDrive<std::int64_t> sink(spec);
    ASSERT_TRUE(sink.open());
    ASSERT_TRUE(sink.write({1}));
    ASSERT_TRUE(sink->prepare(CheckpointId(1)));
    ASSERT_TRUE(sink->snapshot(snapshot));
    ASSERT_TRUE(sink.write({2}));
    ASSERT_TRUE(sink->prepare(CheckpointId(2)));
  }
  SinkDrive<std::int64_t> again(spec);
  ASSERT_TRUE(again.go_on_from(snapshot, CheckpointId(1)));
  ASSERT_TRUE(again.write({2}));
  ASSERT_TRUE(again->prepare(CheckpointId(3)));
  ASSERT_TRUE(again->commit(CheckpointId(3)));
  EXPECT_THAT(collected.values(), ElementsAre(1, 2));
}

TEST(Collect, TakesRecordsFromSeveralThreads) {
  Collected<std::int64_t> collected;
  const SinkSpec spec = collect(collected).bind<std::int64_t>();
  SystemClock clock;
  const auto run = [&](std::uint32_t subtask) {
    SinkDrive<std::int64_t> sink(spec);
    ASSERT_TRUE(sink.open(context_of(clock, "collect", false, subtask)));
    for (std::uint64_t id = 1; id <= 100; ++id) {
      ASSERT_TRUE(sink.write({1, 1}));
      ASSERT_TRUE(sink->prepare(CheckpointId(id)));
      ASSERT_TRUE(sink->commit(CheckpointId(id)));
    }
  };
  std::thread other([&] { run(1); });
  run(0);
  other.join();
  EXPECT_EQ(collected.values().size(), 400);
}

TEST(Collect, OutlivesTheHandleItWasMadeFrom) {
  SinkSpec spec;
  {
    Collected<std::int64_t> collected;
    spec = collect(collected).bind<std::int64_t>();
  }
  SinkDrive<std::int64_t> sink(spec);
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({1}));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  EXPECT_TRUE(sink->commit(CheckpointId(1)));
}

TEST(Discard, CountsRecords) {
  detail::DiscardSink<std::int64_t> sink;
  const std::vector<std::int64_t> values{1, 2, 3};
  ASSERT_TRUE(sink.write(values));
  EXPECT_EQ(sink.count(), 3);
}

TEST(Discard, TakesRecordsOfAnyType) {
  SinkDrive<std::string> sink(discard().bind<std::string>());
  ASSERT_TRUE(sink.open());
  EXPECT_TRUE(sink.write({"a"}));
}

}  // namespace
}  // namespace millrace::test
