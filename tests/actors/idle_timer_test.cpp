#include "millrace/actors/idle_timer.h"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

TEST(IdleTimer, NeverGoesOffWithoutATime) {
  IdleTimer timer(std::nullopt, 0s);
  EXPECT_EQ(timer.due(), std::nullopt);
  EXPECT_FALSE(timer.becomes_idle(1000h));
}

TEST(IdleTimer, GoesOffOnceUntilThereAreRecords) {
  IdleTimer timer(10s, 5s);
  EXPECT_EQ(timer.due(), 15s);
  EXPECT_FALSE(timer.becomes_idle(14s));
  EXPECT_TRUE(timer.becomes_idle(15s));
  EXPECT_FALSE(timer.becomes_idle(16s));
  EXPECT_EQ(timer.due(), std::nullopt);
  timer.on_records(20s);
  EXPECT_EQ(timer.due(), 30s);
  EXPECT_TRUE(timer.becomes_idle(31s));
}

TEST(IdleTimer, DoesNotCountTheTimeWithoutCredit) {
  IdleTimer timer(10s, 0s);
  timer.on_backpressure(9s);
  EXPECT_FALSE(timer.becomes_idle(18s));
  EXPECT_TRUE(timer.becomes_idle(19s));
  timer.on_backpressure(25s);
  EXPECT_EQ(timer.due(), std::nullopt) << "it is idle already";
}

}  // namespace
}  // namespace millrace::detail
