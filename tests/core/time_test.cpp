#include "millrace/core/time.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using namespace std::chrono_literals;

TEST(Timestamp, PrintsAsIso8601InUtcWithMilliseconds) {
  EXPECT_EQ(to_string(Timestamp(0ms)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_string(Timestamp(-1ms)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_string(Timestamp(1'795'190'400'123ms)), "2026-11-20T16:00:00.123Z");
}

TEST(Timestamp, PrintsAsItsNumberWhatIso8601CannotHold) {
  EXPECT_EQ(to_string(Timestamp(-62'167'219'200'000ms)), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(to_string(Timestamp(-62'167'219'200'001ms)), "-62167219200001");
  EXPECT_EQ(to_string(Timestamp(253'402'300'800'000ms)), "253402300800000");
  EXPECT_EQ(to_string(Timestamp(2'070'136'051'200'000ms)), "2070136051200000");  // year 67570
  EXPECT_EQ(to_string(kMinTimestamp), "-9223372036854775808");
  EXPECT_EQ(to_string(kMaxTimestamp), "9223372036854775807");
}

TEST(Timestamp, ReadsIso8601AndMilliseconds) {
  EXPECT_EQ(*parse_timestamp("1795190400123"), Timestamp(1'795'190'400'123ms));
  EXPECT_EQ(*parse_timestamp("-5"), Timestamp(-5ms));
  EXPECT_EQ(*parse_timestamp("2026-11-20T16:00:00.123Z"), Timestamp(1'795'190'400'123ms));
  EXPECT_EQ(*parse_timestamp("2026-11-20 17:00:00.123456+01:00"), Timestamp(1'795'190'400'123ms));
  EXPECT_EQ(*parse_timestamp("1970-01-02"), Timestamp(24h));
  EXPECT_EQ(*parse_timestamp("1970-01-01T00:01"), Timestamp(1min));
}

TEST(Timestamp, RefusesWhatIsNoTime) {
  for (const char* text : {"", "yesterday", "2026-13-01", "2026-02-30", "2026-01-01T25:00:00",
                           "2026-01-01T10:00:00+99:00", "2026-01-01T10:00:00Zx", "12 "}) {
    const Result<Timestamp> time = parse_timestamp(text);
    ASSERT_FALSE(time) << text;
    EXPECT_NE(time.error().message().find("is not a timestamp"), std::string::npos);
  }
}

TEST(Timestamp, SurvivesARoundTripThroughText) {
  for (std::int64_t count : std::initializer_list<std::int64_t>{
           -62'135'596'800'000, -1, 0, 1, 951'782'400'000, 253'402'300'799'999}) {
    const Timestamp time{Duration(count)};
    EXPECT_EQ(*parse_timestamp(to_string(time)), time) << count;
  }
}

}  // namespace
}  // namespace millrace
