#include "millrace/actors/links/heartbeats.h"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

constexpr HeartbeatSettings kSettings{.interval = 2s, .timeout = 10s};

TEST(Heartbeats, AreSentOnceInAnInterval) {
  Heartbeats beats(kSettings, 0s);
  EXPECT_FALSE(beats.step(1s).send);
  EXPECT_TRUE(beats.step(2s).send);
  EXPECT_FALSE(beats.step(3s).send);
  EXPECT_TRUE(beats.step(4s).send);
}

TEST(Heartbeats, FindAPeerSilentAfterTheTimeout) {
  Heartbeats beats(kSettings, 0s);
  beats.on_bytes(1s);
  for (auto now = 1s; now < 11s; now += 1s) EXPECT_FALSE(beats.step(now).silent);
  EXPECT_TRUE(beats.step(11s).silent);
  EXPECT_EQ(beats.silence(11s), 10s);
}

TEST(Heartbeats, TakeAnyByteForASignOfLife) {
  Heartbeats beats(kSettings, 0s);
  for (auto now = 1s; now < 60s; now += 1s) {
    beats.on_bytes(now);
    EXPECT_FALSE(beats.step(now).silent);
  }
}

TEST(Heartbeats, DoNotHoldAgainstThePeerThatThisProcessStoodStill) {
  Heartbeats beats(kSettings, 0s);
  EXPECT_FALSE(beats.step(1s).silent);
  EXPECT_FALSE(beats.step(61s).silent);  // what came meanwhile was not read yet
  for (auto now = 62s; now < 66s; now += 1s) EXPECT_FALSE(beats.step(now).silent);
  bool silent = false;
  for (auto now = 66s; now < 72s; now += 1s) silent |= beats.step(now).silent;
  EXPECT_TRUE(silent);
}

}  // namespace
}  // namespace millrace::detail
