#include "millrace/actors/links/receiver_table.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::detail {
namespace {

using Table = ReceiverTable<std::string>;
using Verdict = Table::Verdict;

ChannelHeader to(std::uint64_t job, std::uint64_t attempt, std::uint32_t subtask) {
  return {.job = JobId(job), .attempt = AttemptId(attempt), .to = SubtaskId(subtask)};
}
JobAttempt attempt(std::uint64_t job, std::uint64_t number) {
  return {JobId(job), AttemptId(number)};
}

TEST(ReceiverTable, FindsTheReceiverOfASubtask) {
  Table table;
  table.open(attempt(1, 2), {SubtaskId(3)}, "three");
  table.open(attempt(1, 2), {SubtaskId(4)}, "four");
  const Table::Found found = table.find(FrameKind::kData, to(1, 2, 4));
  ASSERT_EQ(found.verdict, Verdict::kDeliver);
  EXPECT_EQ(*found.receiver, "four");
}

TEST(ReceiverTable, KeepsWhatATaskAndItsEnumeratorSayApart) {
  Table table;
  table.open(attempt(1, 2), {SubtaskId(3)}, "task");
  table.open(attempt(1, 2), {SubtaskId(3), true}, "splits");
  EXPECT_EQ(*table.find(FrameKind::kCredit, to(1, 2, 3)).receiver, "task");
  EXPECT_EQ(*table.find(FrameKind::kSplit, to(1, 2, 3)).receiver, "splits");
}

TEST(ReceiverTable, TakesAFrameForASubtaskThatALiveAttemptLacksForMisled) {
  Table table;
  table.open(attempt(1, 2), {SubtaskId(3)}, "three");
  EXPECT_EQ(table.find(FrameKind::kData, to(1, 2, 9)).verdict, Verdict::kMisled);
}

TEST(ReceiverTable, DropsFramesOfAttemptsThatAreNoMore) {
  Table table;
  table.open(attempt(1, 2), {SubtaskId(3)}, "three");
  table.close(attempt(1, 2));
  EXPECT_EQ(table.find(FrameKind::kData, to(1, 2, 3)).verdict, Verdict::kDrop);
  EXPECT_EQ(table.find(FrameKind::kData, to(1, 1, 3)).verdict, Verdict::kDrop);
}

TEST(ReceiverTable, TakesFramesOfAttemptsAndJobsThatNeverBeganForMisled) {
  Table table;
  table.open(attempt(1, 2), {SubtaskId(3)}, "three");
  EXPECT_EQ(table.find(FrameKind::kData, to(1, 3, 3)).verdict, Verdict::kMisled);
  EXPECT_EQ(table.find(FrameKind::kData, to(2, 1, 3)).verdict, Verdict::kMisled);
}

TEST(ReceiverTable, KeepsRegionsOfDifferentAttemptsApart) {
  Table table;
  table.open(attempt(1, 2), {SubtaskId(3)}, "old region");
  table.open(attempt(1, 5), {SubtaskId(4)}, "new region");
  EXPECT_EQ(*table.find(FrameKind::kData, to(1, 2, 3)).receiver, "old region");
  EXPECT_EQ(*table.find(FrameKind::kData, to(1, 5, 4)).receiver, "new region");
  table.close(attempt(1, 5));
  EXPECT_EQ(table.find(FrameKind::kData, to(1, 2, 3)).verdict, Verdict::kDeliver);
}

}  // namespace
}  // namespace millrace::detail
