#include "millrace/state/timers.h"

#include <gtest/gtest.h>

#include "state/state_fixture.h"

namespace millrace::detail {
namespace {

struct World {
  StateWorld world;
};
struct Owner : World, OwnerUnderTest<std::int64_t> {
  Owner() {
    open(world);
    EXPECT_TRUE(timers.open());
  }
  // The keys whose timers fire up to then, in their order.
  std::vector<std::int64_t> fired_until(Timestamp watermark) {
    std::vector<std::int64_t> keys;
    while (timers.is_due(watermark)) {
      const auto fired = timers.take_next();
      if (fired.key == nullptr) continue;
      keys.push_back(*fired.key);
      at(keys.back());
      timers.end(fired.time);
    }
    return keys;
  }

  KeyTimers<std::int64_t> timers{*this};
};

Timestamp time_of(std::int64_t milliseconds) { return Timestamp(Duration(milliseconds)); }

TEST(Timers, KeepsNoAccountOfTheManyThatWereCancelled) {
  Owner owner;
  for (std::int64_t key = 0; key < 10; ++key) {
    owner.at(key);
    owner.timers.at(time_of(1'000 - key));
  }
  for (std::int64_t i = 0; i < 100'000; ++i) {
    owner.at(i % 20);
    owner.timers.at(time_of(2'000 + i));
    owner.timers.cancel(time_of(2'000 + i));
    owner.timers.cancel(time_of(500));
    owner.timers.at(time_of(500));  // the same one again and again
  }
  EXPECT_LT(owner.timers.queued(), 300U);
  EXPECT_EQ(owner.fired_until(time_of(999)).size(), 20U + 9U);
  EXPECT_EQ(owner.fired_until(time_of(1'000)), std::vector<std::int64_t>{0});
  EXPECT_TRUE(owner.fired_until(kMaxTimestamp).empty());
  EXPECT_EQ(owner.timers.queued(), 0U);
}

TEST(Timers, CountTheMemoryOfTheirQueue) {
  Owner owner;
  owner.at(1);
  owner.timers.at(time_of(0));
  const std::size_t before = owner.keyed_state().bytes_held();
  for (std::int64_t i = 1; i <= 10'000; ++i) owner.timers.at(time_of(i));
  EXPECT_GE(owner.keyed_state().bytes_held(), before + std::size_t{10'000} * 16);
}

}  // namespace
}  // namespace millrace::detail
