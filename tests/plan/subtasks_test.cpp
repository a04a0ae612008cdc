#include "millrace/plan/subtasks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

TEST(Subtasks, AreNumberedTaskByTask) {
  const ExecutionPlan plan = *make_execution_plan(*fraud().build());
  const std::vector<Subtask> subtasks = subtasks_of(plan);
  std::size_t next = 0;
  for (const TaskSpec& task : plan.tasks) {
    for (std::uint32_t i = 0; i < task.parallelism; ++i) {
      EXPECT_EQ(subtasks.at(next++), (Subtask{task.id, SubtaskIndex(i)}));
    }
  }
  EXPECT_EQ(next, subtasks.size());
}

TEST(Subtasks, CountTheirKeyedOperators) {
  const ExecutionPlan plan = *make_execution_plan(*fraud().build());
  std::size_t keyed = 0;
  for (const Subtask& subtask : subtasks_of(plan)) keyed += count_keyed(plan, subtask);
  EXPECT_EQ(keyed, 4u);
}

}  // namespace
}  // namespace millrace::detail
