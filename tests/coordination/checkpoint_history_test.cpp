#include "millrace/coordination/checkpoint_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

CheckpointName name(std::uint64_t id) { return {CheckpointId(id), 7}; }

TEST(CheckpointHistory, TellsWhatBecameOfEach) {
  CheckpointHistory history;
  EXPECT_THAT(history.last(), IsEmpty());
  history.triggered(name(1), Timestamp(10ms));
  history.completed(CheckpointId(1), Timestamp(15ms));
  history.triggered(name(2), Timestamp(20ms));
  history.aborted(CheckpointId(2), unavailable("a task failed"));
  history.savepoint_triggered(name(3), "/savepoints/a", Timestamp(30ms));
  ASSERT_THAT(history.last(), SizeIs(3));
  EXPECT_EQ(
      history.last()[0],
      (CheckpointReport{
          .id = 1, .path = "chk-1-7", .triggered = Timestamp(10ms), .completed = Timestamp(15ms)}));
  EXPECT_EQ(history.last()[1].failure, "a task failed");
  EXPECT_EQ(
      history.last()[2],
      (CheckpointReport{
          .id = 3, .path = "/savepoints/a", .savepoint = true, .triggered = Timestamp(30ms)}));
  EXPECT_EQ(history.completed(), 1u);
}

TEST(CheckpointHistory, KnowsASavepointAsCompleteOnceItIsWritten) {
  CheckpointHistory history;
  for (const std::uint64_t id : {1, 2}) {
    history.savepoint_triggered(name(id), "/savepoints/a", Timestamp(10ms));
    history.completed(CheckpointId(id), Timestamp(15ms));
    EXPECT_EQ(history.last().back().completed, std::nullopt);
  }
  history.savepoint_written(CheckpointId(1), {}, Timestamp(20ms));
  history.savepoint_written(CheckpointId(2), unavailable("the disk is full"), Timestamp(20ms));
  EXPECT_EQ(history.last()[0].completed, Timestamp(20ms));
  EXPECT_EQ(history.last()[1].failure, "the disk is full");
  EXPECT_EQ(history.completed(), 2u) << "they are the job's checkpoints, too";
}

TEST(CheckpointHistory, RemembersTheLastOnes) {
  CheckpointHistory history;
  for (std::uint64_t id = 1; id <= 100; ++id) {
    history.triggered(name(id), Timestamp());
    history.completed(CheckpointId(id), Timestamp());
  }
  ASSERT_THAT(history.last(), SizeIs(CheckpointHistory::kRemembered));
  EXPECT_EQ(history.last().back().id, 100u);
  EXPECT_EQ(history.completed(), 100u);
}

TEST(CheckpointHistory, CountsWhatWasFound) {
  CheckpointHistory history;
  history.found(2);
  EXPECT_EQ(history.completed(), 2u);
  history.triggered(name(9), Timestamp());
  history.completed(CheckpointId(9), Timestamp());
  history.found(2);  // at a restart
  EXPECT_EQ(history.completed(), 3u);
  EXPECT_THAT(history.last(), SizeIs(1));
}

}  // namespace
}  // namespace millrace::detail
