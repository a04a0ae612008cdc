#include "millrace/operators/watermarks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "millrace/core/random.h"
#include "support/records_as_text.h"

namespace millrace::detail {
namespace {

TEST(WatermarkTracker, IsTheLeastOfItsChannels) {
  WatermarkTracker tracker(3);
  tracker.advance(0, at(10));
  tracker.advance(1, at(5));
  EXPECT_EQ(tracker.current(), kMinTimestamp);
  tracker.advance(2, at(7));
  EXPECT_EQ(tracker.current(), at(5));
  tracker.advance(1, at(20));
  EXPECT_EQ(tracker.current(), at(7));
}

TEST(WatermarkTracker, NeverFalls) {
  WatermarkTracker tracker(1);
  tracker.advance(0, at(5));
  tracker.advance(0, at(3));
  EXPECT_EQ(tracker.current(), at(5));
  tracker.advance(0, at(6));
  EXPECT_EQ(tracker.current(), at(6));
}

TEST(WatermarkTracker, IdleInputDoesNotHoldBackTheMinimum) {
  WatermarkTracker tracker(3);
  tracker.advance(0, at(10));
  tracker.advance(1, at(5));
  tracker.mark_idle(2);
  EXPECT_EQ(tracker.current(), at(5));
  tracker.mark_idle(1);
  EXPECT_EQ(tracker.current(), at(10));
  EXPECT_FALSE(tracker.idle());
}

TEST(WatermarkTracker, AnInputThatWasIdleCountsAgainOnceItHasCaughtUp) {
  WatermarkTracker tracker(2);
  tracker.advance(0, at(5));
  tracker.advance(1, at(5));
  tracker.mark_idle(1);
  tracker.advance(0, at(10));
  EXPECT_EQ(tracker.current(), at(10));
  tracker.advance(1, at(7));
  tracker.advance(0, at(20));
  EXPECT_EQ(tracker.current(), at(20)) << "it is behind, and does not count";
  tracker.advance(1, at(20));
  tracker.advance(0, at(30));
  EXPECT_EQ(tracker.current(), at(20)) << "it has caught up, and holds back";
  tracker.advance(1, at(25));
  EXPECT_EQ(tracker.current(), at(25));
}

TEST(WatermarkTracker, AWatermarkThatHasNotGrownEndsIdleness) {
  WatermarkTracker tracker(2);
  tracker.advance(0, at(5));
  tracker.advance(1, at(5));
  tracker.mark_idle(1);
  tracker.advance(1, at(5));
  tracker.advance(0, at(10));
  EXPECT_EQ(tracker.current(), at(5));
}

TEST(WatermarkTracker, IsIdleWithTheLatestTimeWhenAllInputsAre) {
  WatermarkTracker tracker(3);
  tracker.advance(0, at(5));
  tracker.advance(1, at(10));
  tracker.advance(2, at(7));
  tracker.mark_idle(1);
  tracker.mark_idle(2);
  EXPECT_FALSE(tracker.idle());
  EXPECT_EQ(tracker.current(), at(5));
  tracker.mark_idle(0);
  EXPECT_TRUE(tracker.idle());
  EXPECT_EQ(tracker.current(), at(10));
  tracker.advance(0, at(6));
  EXPECT_FALSE(tracker.idle());
  EXPECT_EQ(tracker.current(), at(10));
}

TEST(WatermarkTracker, AnInputThatEndedHoldsNothingBack) {
  WatermarkTracker tracker(2);
  tracker.advance(0, at(5));
  tracker.advance(1, at(8));
  tracker.finish(0);
  EXPECT_EQ(tracker.current(), at(8));
  tracker.advance(0, at(100));
  tracker.mark_idle(0);
  EXPECT_EQ(tracker.current(), at(8));
  EXPECT_FALSE(tracker.idle());
}

TEST(WatermarkTracker, EndsWithTheLastWatermarkOnlyIfItCameFromAll) {
  WatermarkTracker drained(2);
  drained.advance(0, kMaxTimestamp);
  drained.finish(0);
  drained.advance(1, at(8));
  EXPECT_EQ(drained.current(), at(8));
  drained.advance(1, kMaxTimestamp);
  EXPECT_EQ(drained.current(), kMaxTimestamp);

  WatermarkTracker stopped(2);
  stopped.advance(0, kMaxTimestamp);
  stopped.advance(1, at(8));
  stopped.finish(1);
  stopped.finish(0);
  EXPECT_EQ(stopped.current(), at(8));
}

// Else an idle input would be taken for one that has ended.
TEST(WatermarkTracker, DoesNotJumpToTheEndWhenOnlyIdleInputsAreLeft) {
  WatermarkTracker tracker(2);
  tracker.advance(1, at(8));
  tracker.mark_idle(1);
  tracker.advance(0, kMaxTimestamp);
  EXPECT_EQ(tracker.current(), at(8));
  EXPECT_TRUE(tracker.idle());
  tracker.finish(0);
  EXPECT_EQ(tracker.current(), at(8));
  tracker.advance(1, kMaxTimestamp);
  EXPECT_EQ(tracker.current(), kMaxTimestamp);
  EXPECT_FALSE(tracker.idle());
}

// What the header says, written down for all channels at once.
class Model {
 public:
  explicit Model(std::size_t channels) : channels_(channels) {}

  void advance(std::size_t i, Timestamp watermark) {
    if (channels_[i].ended) return;
    channels_[i].watermark = std::max(channels_[i].watermark, watermark);
    channels_[i].idle = false;
    settle();
  }
  void mark_idle(std::size_t i) {
    channels_[i].idle = !channels_[i].ended;
    settle();
  }
  void finish(std::size_t i) {
    channels_[i].ended = true;
    channels_[i].idle = false;
    settle();
  }

  Timestamp current = kMinTimestamp;
  bool idle = false;

 private:
  struct Channel {
    Timestamp watermark = kMinTimestamp;
    bool idle = false;
    bool ended = false;
  };

  void settle() {
    std::optional<Timestamp> least;
    Timestamp latest_idle = kMinTimestamp;
    bool any_idle = false;
    bool any_active = false;
    for (const Channel& channel : channels_) {
      if (channel.ended) continue;
      if (channel.idle) latest_idle = std::max(latest_idle, channel.watermark);
      (channel.idle ? any_idle : any_active) = true;
      if (channel.idle || channel.watermark < current) continue;
      least = std::min(least.value_or(kMaxTimestamp), channel.watermark);
    }
    idle = any_idle && !any_active;
    if (idle) least = latest_idle;
    if (least) current = std::max(current, *least);
  }

  std::vector<Channel> channels_;
};

TEST(WatermarkTracker, AgreesWithAModel) {
  for (const std::size_t channels : {1u, 2u, 5u, 8u, 13u}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Random random(seed);
      WatermarkTracker tracker(channels);
      Model model(channels);
      for (int i = 0; i < 1'000; ++i) {
        const std::size_t channel = random.below(channels);
        const std::uint64_t what = random.below(i < 500 ? 1'000 : 200);
        if (what == 0) {
          tracker.finish(channel);
          model.finish(channel);
        } else if (what % 5 == 0) {
          tracker.mark_idle(channel);
          model.mark_idle(channel);
        } else {
          const Timestamp watermark = at(static_cast<std::int64_t>(random.below(i / 4 + 1)));
          tracker.advance(channel, watermark);
          model.advance(channel, watermark);
        }
        ASSERT_EQ(tracker.current(), model.current) << "after step " << i << " of seed " << seed;
        ASSERT_EQ(tracker.idle(), model.idle) << "after step " << i << " of seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace millrace::detail
