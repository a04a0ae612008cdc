#include "millrace/coordination/regions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::ElementsAre;

// Tasks and the edges between them, by position.
ExecutionPlan plan_of(std::uint32_t tasks,
                      std::vector<std::pair<std::uint32_t, std::uint32_t>> edges) {
  ExecutionPlan plan;
  for (std::uint32_t i = 0; i < tasks; ++i) plan.tasks.push_back({.id = TaskId(i)});
  for (const auto& [from, to] : edges) {
    plan.edges.push_back({.edge = EdgeIndex(0), .from = TaskId(from), .to = TaskId(to)});
  }
  return plan;
}

TEST(Regions, AreWhatChannelsConnect) {
  EXPECT_THAT(regions_of(plan_of(3, {})), ElementsAre(0, 1, 2));
  EXPECT_THAT(regions_of(plan_of(3, {{0, 1}, {1, 2}})), ElementsAre(0, 0, 0));
  EXPECT_THAT(regions_of(plan_of(4, {{1, 3}, {0, 2}})), ElementsAre(0, 1, 0, 1));
}

TEST(Regions, JoinWhereTheyMeet) {
  EXPECT_THAT(regions_of(plan_of(6, {{0, 3}, {1, 4}, {2, 4}, {3, 5}, {2, 5}})),
              ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_THAT(regions_of(plan_of(5, {{1, 3}, {2, 4}, {2, 3}})), ElementsAre(0, 1, 1, 1, 1));
}

}  // namespace
}  // namespace millrace::detail
