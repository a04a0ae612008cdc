#include "millrace/coordination/restart_strategy.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using Times = std::vector<std::chrono::nanoseconds>;

std::optional<std::chrono::nanoseconds> delay(const RestartSettings& settings,
                                              const Times& failures) {
  Random random(1);
  return restart_delay(settings, failures, random);
}

TEST(RestartStrategy, NoneGivesUpAtOnce) { EXPECT_EQ(delay(NoRestart{}, {1s}), std::nullopt); }

TEST(RestartStrategy, FixedDelayGivesUpAfterItsAttempts) {
  const FixedDelayRestart fixed{.attempts = 2, .delay = 3s};
  EXPECT_EQ(delay(fixed, {1s}), 3s);
  EXPECT_EQ(delay(fixed, {1s, 100s}), 3s);
  EXPECT_EQ(delay(fixed, {1s, 100s, 1'000'000s}), std::nullopt);
}

TEST(RestartStrategy, FailureRateGivesUpWhenTooManyFailuresFallIntoOneInterval) {
  const FailureRateRestart rate{.failures = 2, .interval = 10s, .delay = 1s};
  EXPECT_EQ(delay(rate, {0s}), 1s);
  EXPECT_EQ(delay(rate, {0s, 9s}), 1s);
  EXPECT_EQ(delay(rate, {0s, 9s, 10s}), 1s) << "the first lies a whole interval back";
  EXPECT_EQ(delay(rate, {0s, 9s, 9'999ms}), std::nullopt);
}

TEST(RestartStrategy, ExponentialDelayGrowsToItsLimit) {
  const ExponentialDelayRestart growing{
      .initial = 1s, .multiplier = 2, .most = 5s, .reset_after = 1h, .jitter = 0};
  EXPECT_EQ(delay(growing, {0s}), 1s);
  EXPECT_EQ(delay(growing, {0s, 2s}), 2s);
  EXPECT_EQ(delay(growing, {0s, 2s, 5s}), 4s);
  EXPECT_EQ(delay(growing, {0s, 2s, 5s, 10s}), 5s);
  EXPECT_EQ(delay(growing, Times(500, 0s)), 5s) << "it never gives up";
}

TEST(RestartStrategy, ExponentialDelayBeginsAnewAfterATimeWithoutFailure) {
  const ExponentialDelayRestart growing{
      .initial = 1s, .multiplier = 2, .most = 60s, .reset_after = 100s, .jitter = 0};
  EXPECT_EQ(delay(growing, {0s, 1s, 102s}), 4s) << "2 s of it were the delay";
  EXPECT_EQ(delay(growing, {0s, 1s, 103s}), 1s);
  EXPECT_EQ(delay(growing, {0s, 1s, 103s, 104s}), 2s);
}

TEST(RestartStrategy, JitterStaysWithinItsShare) {
  const ExponentialDelayRestart jittered{.initial = 1s, .jitter = 0.1};
  Random random(7);
  bool above = false;
  bool below = false;
  for (int i = 0; i < 100; ++i) {
    const auto time = restart_delay(jittered, Times{0s}, random);
    ASSERT_TRUE(time);
    EXPECT_GE(*time, 900ms);
    EXPECT_LE(*time, 1'100ms);
    above = above || *time > 1s;
    below = below || *time < 1s;
  }
  EXPECT_TRUE(above && below);
}

}  // namespace
}  // namespace millrace::detail
