#include "millrace/coordination/adoption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kMark = 77;

// source-1 -> sink-1 in one task of two subtasks.
class AdoptionTest : public testing::Test {
 protected:
  static ExecutionPlan make_plan() {
    PlanBuilder builder = line({});
    builder.set_parallelism(2);
    return *make_execution_plan(*builder.build());
  }
  static TaskAddress task(std::uint32_t subtask, std::uint64_t attempt = 5) {
    return {SubtaskId(subtask), AttemptId(attempt)};
  }
  static HostReady ready(const std::string& identity, std::vector<HeldTask> tasks,
                         std::uint64_t triggered = 0) {
    return {.address = {identity, "10.0.0.1", 1},
            .plan = kMark,
            .tasks = std::move(tasks),
            .triggered = CheckpointId(triggered)};
  }
  static HeldTask runs(TaskAddress address) { return {address, TaskCondition::kRunning}; }

  // Attempt 5 is the last one.
  Adoption made() const {
    Adoption adoption(plan_, kMark);
    adoption.expect({AttemptId(5)});
    return adoption;
  }

  const ExecutionPlan plan_ = make_plan();
  Adoption adoption_ = made();
};

TEST_F(AdoptionTest, IsCompleteOnceEveryTaskIsKnown) {
  adoption_.hear(ready("a", {runs(task(0))}, 3));
  EXPECT_FALSE(adoption_.complete());
  EXPECT_FALSE(adoption_.is_impossible());
  adoption_.hear(ready("none", {}, 9));
  adoption_.hear(ready("b", {{task(1), TaskCondition::kFinished}}, 4));
  const auto running = adoption_.complete();
  ASSERT_TRUE(running);
  EXPECT_THAT(running->host_of(), ElementsAre("a", "b"));
  EXPECT_EQ(running->triggered, CheckpointId(4));
  EXPECT_EQ(running->tasks[0].attempt, AttemptId(5));
  EXPECT_FALSE(running->tasks[0].finished);
  EXPECT_TRUE(running->tasks[1].finished);
}

TEST_F(AdoptionTest, HearsOfWhatHappensMeanwhile) {
  adoption_.hear(ready("a", {runs(task(0)), runs(task(1))}));
  adoption_.hear(TaskFinished{task(1)});
  adoption_.hear(TaskFinished{task(0, 4)});  // of another attempt
  const auto running = adoption_.complete();
  ASSERT_TRUE(running);
  EXPECT_FALSE(running->tasks[0].finished);
  EXPECT_TRUE(running->tasks[1].finished);
  adoption_.hear(TaskFailed{task(0), unavailable("gone")});
  EXPECT_TRUE(adoption_.is_impossible());
  EXPECT_FALSE(adoption_.complete());
}

TEST_F(AdoptionTest, IsImpossibleWithATaskThatDoesNotRun) {
  for (const TaskCondition condition :
       {TaskCondition::kOpening, TaskCondition::kFailed, TaskCondition::kClosing}) {
    Adoption adoption = made();
    adoption.hear(ready("a", {{task(0), condition}}));
    EXPECT_TRUE(adoption.is_impossible());
  }
}

TEST_F(AdoptionTest, IsImpossibleByAnotherPlanOrWithTasksTwice) {
  HostReady other = ready("a", {runs(task(0))});
  other.plan = kMark + 1;
  adoption_.hear(other);
  EXPECT_TRUE(adoption_.is_impossible());
  Adoption twice = made();
  twice.hear(ready("a", {runs(task(0))}));
  twice.hear(ready("b", {runs(task(0))}));
  EXPECT_TRUE(twice.is_impossible());
}

TEST_F(AdoptionTest, IsImpossibleOnceAHostWithTasksIsLost) {
  adoption_.hear(ready("a", {}));
  adoption_.hear(ready("b", {runs(task(0))}));
  adoption_.host_lost("a");
  EXPECT_FALSE(adoption_.is_impossible());
  adoption_.host_lost("b");
  EXPECT_TRUE(adoption_.is_impossible());
}

// Those of hosts that were cut off are not the job's any more, however they are.
TEST_F(AdoptionTest, DoesNotCountTasksOfOtherAttempts) {
  adoption_.hear(ready("old", {runs(task(0, 4)), {task(1, 4), TaskCondition::kClosing}}, 9));
  adoption_.hear(ready("a", {runs(task(0))}, 3));
  EXPECT_FALSE(adoption_.is_impossible());
  EXPECT_FALSE(adoption_.complete());
  adoption_.hear(ready("b", {runs(task(1)), runs(task(2))}, 3));
  const auto running = adoption_.complete();
  ASSERT_TRUE(running);
  EXPECT_THAT(running->host_of(), ElementsAre("a", "b"));
  EXPECT_EQ(running->hosts.size(), 2U);
  adoption_.host_lost("old");
  EXPECT_TRUE(adoption_.complete());
}

TEST_F(AdoptionTest, IsNotDecidedBeforeTheAttemptsAreKnown) {
  Adoption adoption(plan_, kMark);
  adoption.hear(ready("a", {runs(task(0)), {task(1), TaskCondition::kFailed}}));
  EXPECT_FALSE(adoption.is_impossible());
  adoption.expect({AttemptId(5)});
  EXPECT_TRUE(adoption.is_impossible());
  Adoption never(plan_, kMark);
  never.expect({});
  EXPECT_TRUE(never.is_impossible()) << "it never ran";
}

}  // namespace
}  // namespace millrace::detail
