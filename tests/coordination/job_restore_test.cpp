#include "millrace/coordination/job_restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/plan/fingerprint.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kGroups = 128;

// One task of two chained operators, "map" and "count".
ExecutionPlan plan_of(std::uint32_t parallelism) {
  ExecutionPlan plan;
  for (const char* name : {"map", "count"}) {
    plan.logical.operators.push_back({.id = operator_id(name), .name = name, .kind = "process"});
  }
  plan.tasks.push_back({.id = TaskId(0),
                        .name = "map -> count",
                        .operators = {OperatorIndex(0), OperatorIndex(1)},
                        .parallelism = parallelism,
                        .max_parallelism = kGroups});
  return plan;
}

// A checkpoint of it: each subtask's "count" has a piece with the subtask's number, and its groups.
CheckpointMetadata checkpoint_of(std::uint32_t parallelism, bool finished = false) {
  CheckpointMetadata metadata{.id = 5, .epoch = 2};
  const ExecutionPlan plan = plan_of(parallelism);
  for (std::uint32_t i = 0; i < parallelism; ++i) {
    const KeyGroupRange groups = plan.tasks[0].key_groups().range_of(SubtaskIndex(i));
    TaskSnapshot task{.finished = finished};
    task.operators.push_back({.id = operator_id("map").value(),
                              .name = "map",
                              .subtask = i,
                              .parallelism = parallelism,
                              .max_parallelism = kGroups});
    task.operators.push_back(
        {.id = operator_id("count").value(),
         .name = "count",
         .subtask = i,
         .parallelism = parallelism,
         .max_parallelism = kGroups,
         .pieces = {{"number", {.elements = {std::to_string(i)}}}},
         .keyed = {{.first_group = groups.first.value(), .last_group = groups.last.value()}}});
    metadata.tasks.push_back(std::move(task));
  }
  return metadata;
}

std::vector<std::string> numbers(const RestoredTask& task) {
  const StatePiece* piece = task.operators[1].snapshot->find("number");
  return piece ? piece->elements : std::vector<std::string>{"none"};
}

std::vector<std::uint32_t> first_groups(const RestoredTask& task) {
  std::vector<std::uint32_t> firsts;
  for (const KeyedSnapshot& keyed : task.operators[1].keyed) firsts.push_back(keyed.first_group);
  return firsts;
}

TEST(JobRestore, GivesEachSubtaskItsOwnAgain) {
  const auto restored = restore_job(plan_of(3), checkpoint_of(3), false);
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->checkpoint, (CheckpointName{CheckpointId(5), 2}));
  ASSERT_EQ(restored->tasks[0].size(), 3U);
  EXPECT_THAT(numbers(restored->tasks[0][0]), ElementsAre("0"));
  EXPECT_THAT(numbers(restored->tasks[0][2]), ElementsAre("2"));
  EXPECT_THAT(first_groups(restored->tasks[0][0]), ElementsAre(0));
  EXPECT_THAT(first_groups(restored->tasks[0][2]), ElementsAre(86));
  EXPECT_FALSE(restored->tasks[0][0].finished);
}

TEST(JobRestore, DealsPiecesAndKeyGroupsToFewerSubtasks) {
  const auto restored = restore_job(plan_of(2), checkpoint_of(3), false);
  ASSERT_TRUE(restored) << restored.error().message();
  ASSERT_EQ(restored->tasks[0].size(), 2U);
  EXPECT_THAT(numbers(restored->tasks[0][0]), ElementsAre("0"));
  EXPECT_THAT(numbers(restored->tasks[0][1]), ElementsAre("1", "2"));
  EXPECT_THAT(first_groups(restored->tasks[0][0]), ElementsAre(0, 43)) << "groups 0 to 63";
  EXPECT_THAT(first_groups(restored->tasks[0][1]), ElementsAre(43, 86));
}

TEST(JobRestore, DealsPiecesAndKeyGroupsToMoreSubtasks) {
  const auto restored = restore_job(plan_of(4), checkpoint_of(1), false);
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_THAT(numbers(restored->tasks[0][0]), IsEmpty());
  EXPECT_THAT(numbers(restored->tasks[0][3]), ElementsAre("0"));
  for (const RestoredTask& task : restored->tasks[0]) {
    EXPECT_THAT(first_groups(task), ElementsAre(0));
  }
}

TEST(JobRestore, KnowsWhichSubtasksHadFinished) {
  CheckpointMetadata metadata = checkpoint_of(2);
  metadata.tasks[1].finished = true;
  const auto same = restore_job(plan_of(2), metadata, false);
  ASSERT_TRUE(same);
  EXPECT_FALSE(same->tasks[0][0].finished);
  EXPECT_TRUE(same->tasks[0][1].finished);
  const auto more = restore_job(plan_of(3), metadata, false);
  ASSERT_TRUE(more);
  for (const RestoredTask& task : more->tasks[0]) EXPECT_FALSE(task.finished);
  const auto all = restore_job(plan_of(3), checkpoint_of(2, true), false);
  ASSERT_TRUE(all);
  for (const RestoredTask& task : all->tasks[0]) EXPECT_TRUE(task.finished);
}

TEST(JobRestore, StartsANewOperatorEmpty) {
  CheckpointMetadata metadata = checkpoint_of(1);
  metadata.tasks[0].operators.erase(metadata.tasks[0].operators.begin());
  const auto restored = restore_job(plan_of(1), metadata, false);
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_FALSE(restored->tasks[0][0].operators[0].snapshot);
  EXPECT_TRUE(restored->tasks[0][0].operators[1].snapshot);
}

TEST(JobRestore, NamesTheOperatorsWhoseStateNobodyWouldGet) {
  CheckpointMetadata metadata = checkpoint_of(1);
  metadata.tasks[0].operators[1].name = "old-count";
  metadata.tasks[0].operators[1].id = operator_id("old-count").value();
  const auto refused = restore_job(plan_of(1), metadata, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("does not have: 'old-count' (1 bytes);"));
  EXPECT_TRUE(restore_job(plan_of(1), metadata, true));
}

TEST(JobRestore, MissesNoOperatorWithoutState) {
  CheckpointMetadata metadata = checkpoint_of(1);
  metadata.tasks[0].operators[0].name = "old-map";
  metadata.tasks[0].operators[0].id = operator_id("old-map").value();
  EXPECT_TRUE(restore_job(plan_of(1), metadata, false));
}

TEST(JobRestore, RefusesAnotherNumberOfKeyGroups) {
  CheckpointMetadata metadata = checkpoint_of(1);
  metadata.tasks[0].operators[1].max_parallelism = 256;
  const auto refused = restore_job(plan_of(1), metadata, false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(
      refused.error().message(),
      HasSubstr("operator 'count' (process) has a maximum parallelism of 128, but its keyed "
                "state was made with 256"));
}

TEST(JobRestore, RefusesAChainOfWhichAPartHadFinished) {
  CheckpointMetadata metadata = checkpoint_of(1);
  TaskSnapshot finished{.finished = true, .operators = {metadata.tasks[0].operators[0]}};
  metadata.tasks[0].operators.erase(metadata.tasks[0].operators.begin());
  metadata.tasks.push_back(finished);
  const auto refused = restore_job(plan_of(1), metadata, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message(), HasSubstr("'map -> count'"));
}

TEST(JobRestore, GivesRecordsInFlightToTheTaskThatHadThem) {
  CheckpointMetadata metadata = checkpoint_of(2);
  metadata.fingerprint = fingerprint_number(plan_of(2).logical);
  metadata.tasks[1].in_flight = {{.name = "in-flight"}};
  const auto restored = restore_job(plan_of(2), metadata, false);
  ASSERT_TRUE(restored);
  EXPECT_TRUE(restored->tasks[0][0].in_flight.empty());
  ASSERT_EQ(restored->tasks[0][1].in_flight.size(), 1U);

  const auto rescaled = restore_job(plan_of(3), metadata, false);
  ASSERT_FALSE(rescaled);
  EXPECT_THAT(rescaled.error().message(), HasSubstr("records that were in flight"));
  metadata.fingerprint = 1;
  EXPECT_FALSE(restore_job(plan_of(2), metadata, false)) << "another plan";
}

TEST(JobRestore, RefusesMetadataThatHasASubtaskTwiceOrNotAtAll) {
  CheckpointMetadata missing = checkpoint_of(3);
  missing.tasks.pop_back();
  EXPECT_EQ(restore_job(plan_of(3), missing, false).error().code(), ErrorCode::kCorruption);
  CheckpointMetadata twice = checkpoint_of(2);
  twice.tasks[1] = twice.tasks[0];
  EXPECT_EQ(restore_job(plan_of(2), twice, false).error().code(), ErrorCode::kCorruption);
}

TEST(JobRestore, PassesOnWhatEnumeratorsHadLeft) {
  CheckpointMetadata metadata = checkpoint_of(1);
  metadata.enumerators["source"] = {.elements = {"split"}};
  const auto restored = restore_job(plan_of(1), metadata, false);
  ASSERT_TRUE(restored);
  EXPECT_THAT(restored->enumerators.at("source").elements, ElementsAre("split"));
}

}  // namespace
}  // namespace millrace::detail
