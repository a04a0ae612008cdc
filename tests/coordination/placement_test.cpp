#include "millrace/coordination/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(Placement, SaysThatThereIsNoHost) {
  const Result<Placement> placement = spread(std::vector<Subtask>{subtask(0, 0)}, {});
  ASSERT_FALSE(placement);
  EXPECT_EQ(placement.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(placement.error().message(), HasSubstr("no host for its tasks"));
}

}  // namespace
}  // namespace millrace::detail
