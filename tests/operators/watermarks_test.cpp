#include "millrace/operators/watermarks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "millrace/core/random.h"
#include "support/records_as_text.h"

namespace millrace::detail {
namespace {

TEST(WatermarkTracker, IsTheLeastOfItsChannels) {
  WatermarkTracker tracker(3);
  EXPECT_EQ(tracker.update(0, at(10)), std::nullopt);
  EXPECT_EQ(tracker.update(1, at(5)), std::nullopt);
  EXPECT_EQ(tracker.current(), kMinTimestamp);
  EXPECT_EQ(tracker.update(2, at(7)), at(5));
  EXPECT_EQ(tracker.update(1, at(20)), at(7));
  EXPECT_EQ(tracker.current(), at(7));
}

TEST(WatermarkTracker, GivesEachWatermarkOnce) {
  WatermarkTracker tracker(2);
  EXPECT_EQ(tracker.update(0, at(5)), std::nullopt);
  EXPECT_EQ(tracker.update(1, at(5)), at(5));
  EXPECT_EQ(tracker.update(0, at(5)), std::nullopt);
  EXPECT_EQ(tracker.update(1, at(9)), std::nullopt);
}

TEST(WatermarkTracker, NeverFalls) {
  WatermarkTracker tracker(1);
  EXPECT_EQ(tracker.update(0, at(5)), at(5));
  EXPECT_EQ(tracker.update(0, at(3)), std::nullopt);
  EXPECT_EQ(tracker.current(), at(5));
  EXPECT_EQ(tracker.update(0, at(6)), at(6));
}

TEST(WatermarkTracker, IsNotHeldBackByAChannelThatEnded) {
  WatermarkTracker tracker(2);
  EXPECT_EQ(tracker.update(0, kMaxTimestamp), std::nullopt);
  EXPECT_EQ(tracker.update(1, at(8)), at(8));
  EXPECT_EQ(tracker.update(1, kMaxTimestamp), kMaxTimestamp);
}

TEST(WatermarkTracker, AgreesWithAModel) {
  Random random(11);
  WatermarkTracker tracker(5);
  std::vector<Timestamp> channels(5, kMinTimestamp);
  Timestamp least = kMinTimestamp;
  for (int i = 0; i < 2'000; ++i) {
    const std::size_t channel = random.below(5);
    const Timestamp watermark = at(static_cast<std::int64_t>(random.below(i / 4 + 1)));
    channels[channel] = std::max(channels[channel], watermark);
    const Timestamp now = *std::ranges::min_element(channels);
    const std::optional<Timestamp> raised = tracker.update(channel, watermark);
    ASSERT_EQ(raised, now > least ? std::optional(now) : std::nullopt);
    ASSERT_EQ(tracker.current(), now);
    least = now;
  }
}

}  // namespace
}  // namespace millrace::detail
