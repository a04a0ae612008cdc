#include "millrace/coordination/job_retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using std::chrono_literals::operator""min;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Timestamp kNow{std::chrono::hours(100)};

std::vector<std::string> forgotten(std::vector<EndedJob> ended, std::size_t capacity = 10) {
  return jobs_to_forget(std::move(ended), {.expiration = 60min, .capacity = capacity}, kNow);
}

TEST(JobRetention, ForgetsJobsThatEndedLongAgo) {
  EXPECT_THAT(forgotten({}), IsEmpty());
  EXPECT_THAT(forgotten({{"new", kNow - 59min}, {"old", kNow - 60min}, {"older", kNow - 90min}}),
              ElementsAre("older", "old"));
}

TEST(JobRetention, ForgetsTheOldestOfTooMany) {
  EXPECT_THAT(forgotten({{"b", kNow - 2min}, {"a", kNow - 3min}, {"c", kNow - 1min}}, 2),
              ElementsAre("a"));
  EXPECT_THAT(forgotten({{"b", kNow - 2min}, {"a", kNow - 61min}, {"c", kNow - 1min}}, 1),
              ElementsAre("a", "b"));
}

TEST(JobRetention, RemembersWhatEndedByAClockThatIsAhead) {
  EXPECT_THAT(forgotten({{"ahead", kNow + 5min}}), IsEmpty());
}

TEST(JobRetention, KeepsCheckpointsAsTheJobAsked) {
  using enum CheckpointRetention;
  for (const char* const phase : {"finished", "stopped", "cancelled", "failed"}) {
    EXPECT_FALSE(keeps_checkpoints(kNone, phase)) << phase;
  }
  for (const auto retention : {kOnFailure, kOnCancellation}) {
    EXPECT_FALSE(keeps_checkpoints(retention, "finished"));
    EXPECT_FALSE(keeps_checkpoints(retention, "stopped"));
    EXPECT_TRUE(keeps_checkpoints(retention, "failed"));
  }
  EXPECT_FALSE(keeps_checkpoints(kOnFailure, "cancelled"));
  EXPECT_TRUE(keeps_checkpoints(kOnCancellation, "cancelled"));
}

}  // namespace
}  // namespace millrace::detail
