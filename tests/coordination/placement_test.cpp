#include "millrace/coordination/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Subtask subtask(std::uint32_t task, std::uint32_t index) {
  return {TaskId(task), SubtaskIndex(index)};
}

TEST(Placement, DealsTheSubtasksOfEachTaskToAllHosts) {
  const std::vector<Subtask> subtasks{subtask(0, 0), subtask(0, 1), subtask(0, 2), subtask(1, 0),
                                      subtask(1, 1)};
  const std::vector<HostAddress> hosts{{"a", "x", 1}, {"b", "x", 2}};
  const Result<Placement> placement = spread(subtasks, hosts);
  ASSERT_TRUE(placement);
  EXPECT_EQ(placement->hosts, hosts);
  EXPECT_THAT(placement->host_of, ElementsAre(0, 1, 0, 0, 1));
}

// source-1 and map-1 in one group, sink-1 in another with fewer subtasks.
ExecutionPlan two_groups() {
  PlanBuilder builder = line({"map"});
  builder.set_parallelism(3);
  builder.at(OperatorIndex(2)).slot_sharing_group = "heavy";
  builder.at(OperatorIndex(2)).parallelism = 2;
  return *make_execution_plan(*builder.build());
}

TEST(Placement, GivesEachSlotSharingGroupSlotsOfItsOwn) {
  const ExecutionPlan plan = two_groups();
  ASSERT_EQ(plan.tasks.size(), 2u);
  EXPECT_EQ(slots_required(plan), 5u);
  EXPECT_THAT(first_slot_of(plan), ElementsAre(0, 3));
  const std::vector<HostAddress> host_of_slot{
      {"a", "x", 1}, {"b", "x", 2}, {"a", "x", 1}, {"b", "x", 2}, {"c", "x", 3}};
  const std::vector<Subtask> subtasks = subtasks_of(plan);
  const Placement placement = place_in_slots(plan, subtasks, host_of_slot);
  std::vector<std::string> hosts;
  for (const std::uint32_t host : placement.host_of)
    hosts.push_back(placement.hosts[host].identity);
  EXPECT_THAT(hosts, ElementsAre("a", "b", "a", "b", "c"));
  EXPECT_THAT(hosts_of_slots(plan, hosts), ElementsAre("a", "b", "a", "b", "c"));
}

TEST(Placement, SaysThatThereIsNoHost) {
  const Result<Placement> placement = spread(std::vector<Subtask>{subtask(0, 0)}, {});
  ASSERT_FALSE(placement);
  EXPECT_EQ(placement.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(placement.error().message(), HasSubstr("no host for its tasks"));
}

}  // namespace
}  // namespace millrace::detail
