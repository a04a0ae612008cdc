#include "millrace/core/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

enum class Season { kSpring, kAutumn };
constexpr std::string_view kSeasonWords[] = {"spring", "autumn"};
constexpr std::span<const std::string_view> words_of(Season) { return kSeasonWords; }

TEST(Duration, ReadsEachUnit) {
  EXPECT_EQ(*parse_duration("500ms"), 500ms);
  EXPECT_EQ(*parse_duration("30s"), 30s);
  EXPECT_EQ(*parse_duration("2min"), 2min);
  EXPECT_EQ(*parse_duration("2m"), 2min);
  EXPECT_EQ(*parse_duration("1h"), 1h);
  EXPECT_EQ(*parse_duration("1d"), 24h);
  EXPECT_EQ(*parse_duration("10 s"), 10s);
  EXPECT_EQ(*parse_duration("0s"), 0s);
}

TEST(Duration, ReadsFinerUnitsWhereNothingIsLost) {
  EXPECT_EQ(*parse_duration("3000us"), 3ms);
  EXPECT_EQ(*parse_duration<std::chrono::microseconds>("10us"), 10us);
  EXPECT_EQ(*parse_duration<std::chrono::nanoseconds>("1d"), 24h);
  EXPECT_EQ(*parse_duration<std::chrono::minutes>("120s"), 2min);
}

TEST(Duration, RefusesWhatItsTypeCannotHold) {
  EXPECT_EQ(parse_duration("10us").error().message(),
            "'10us' is too fine; expected a whole number of 1ms");
  EXPECT_EQ(parse_duration<std::chrono::seconds>("1500ms").error().message(),
            "'1500ms' is too fine; expected a whole number of 1s");
}

TEST(Duration, RefusesABareNumberAndNamesTheUnits) {
  EXPECT_EQ(parse_duration("30").error().message(),
            "'30' has no unit; expected one of ms, s, min, h or d after the number, as in 30s");
}

TEST(Duration, RefusesWhatIsNoDuration) {
  for (const char* text :
       {"", "s", "-5s", "+5s", "1.5s", "5 ", "5  s", "5parsecs", "5S", "1h30m"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_THAT(duration.error().message(), HasSubstr("is not a duration; expected")) << text;
  }
}

TEST(Duration, RefusesWhatOverflows) {
  for (const char* text : {"99999999999999999999s", "9223372036854775807s", "106751991168d"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_THAT(duration.error().message(), HasSubstr("is too long for a duration"));
  }
}

TEST(Duration, PrintsInTheLargestUnitThatStaysWhole) {
  EXPECT_EQ(to_string(Duration(0)), "0ms");
  EXPECT_EQ(to_string(1500ms), "1500ms");
  EXPECT_EQ(to_string(90s), "90s");
  EXPECT_EQ(to_string(120s), "2min");
  EXPECT_EQ(to_string(36h), "36h");
  EXPECT_EQ(to_string(48h), "2d");
  EXPECT_EQ(to_string(-5s), "-5s");
  EXPECT_EQ(to_string(1'000'001ns), "1000001ns");
  EXPECT_EQ(to_string(Duration::max()), "9223372036854775807ms");
}

TEST(Duration, SurvivesARoundTripThroughText) {
  for (const std::int64_t count :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{999}, std::int64_t{60'000},
        std::int64_t{86'400'000}, Duration::max().count()}) {
    EXPECT_EQ(*parse_duration(to_string(Duration(count))), Duration(count));
  }
}

TEST(Bytes, ReadsBinaryAndDecimalUnits) {
  EXPECT_EQ(*parse_bytes("4096"), Bytes(4096));
  EXPECT_EQ(*parse_bytes("7B"), Bytes(7));
  EXPECT_EQ(*parse_bytes("512KiB"), Bytes(524'288));
  EXPECT_EQ(*parse_bytes("64MiB"), Bytes(67'108'864));
  EXPECT_EQ(*parse_bytes("1 GiB"), Bytes(1'073'741'824));
  EXPECT_EQ(*parse_bytes("10MB"), Bytes(10'000'000));
}

TEST(Bytes, RefusesWhatIsNoSize) {
  for (const char* text : {"", "MiB", "-1", "1.5GiB", "64mb", "64m", "4096 "}) {
    const auto size = parse_bytes(text);
    ASSERT_FALSE(size) << text;
    EXPECT_THAT(size.error().message(), HasSubstr("is not a size; expected")) << text;
  }
}

TEST(Bytes, RefusesWhatOverflows) {
  for (const char* text : {"99999999999999999999", "8388608TiB"}) {
    const auto size = parse_bytes(text);
    ASSERT_FALSE(size) << text;
    EXPECT_THAT(size.error().message(), HasSubstr("is too large")) << text;
  }
}

TEST(Bytes, SurvivesARoundTripThroughText) {
  EXPECT_EQ(to_string(Bytes(67'108'864)), "64MiB");
  EXPECT_EQ(to_string(Bytes(10'000'000)), "10MB");
  EXPECT_EQ(to_string(Bytes(1'023)), "1023B");
  EXPECT_EQ(to_string(Bytes(0)), "0B");
  for (const std::uint64_t count : {0ull, 1ull, 1'000ull, 1'024ull, 123'456ull, 1ull << 62}) {
    EXPECT_EQ(*parse_bytes(to_string(Bytes(count))), Bytes(count));
  }
}

TEST(Boolean, IsTrueOrFalseAlone) {
  EXPECT_TRUE(*parse_boolean("true"));
  EXPECT_FALSE(*parse_boolean("false"));
  EXPECT_EQ(parse_boolean("yes").error().message(),
            "'yes' is not a boolean; expected true or false");
}

TEST(Integer, RefusesTextAndWhatIsOutOfRange) {
  EXPECT_EQ(*parse_integer("-42"), -42);
  EXPECT_EQ(parse_integer("4x").error().message(),
            "'4x' is not an integer; expected one such as 0, 42 or -7");
  EXPECT_FALSE(parse_integer(""));
  EXPECT_THAT(parse_integer("9223372036854775808").error().message(), HasSubstr("out of range"));
  EXPECT_EQ(parse_text<std::uint8_t>("256").error().message(),
            "'256' is out of range; expected an integer from 0 to 255");
}

TEST(Number, IsFinite) {
  EXPECT_EQ(*parse_number("2.5e3"), 2500.0);
  for (const char* text : {"", "x", "1.0x", "nan", "inf", "1e999"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
  EXPECT_EQ(parse_number("x").error().message(),
            "'x' is not a number; expected one such as 0.5, -3 or 1e6");
}

TEST(TextForm, ReadsAnEnumByItsWords) {
  EXPECT_EQ(*parse_text<Season>("autumn"), Season::kAutumn);
  EXPECT_EQ(to_text(Season::kSpring), "spring");
  EXPECT_EQ(parse_text<Season>("winter").error().message(),
            "'winter' is not a known word; expected spring or autumn");
}

TEST(TextForm, WritesNoneAsAuto) {
  using Count = std::optional<std::int64_t>;
  EXPECT_EQ(*parse_text<Count>("auto"), Count());
  EXPECT_EQ(*parse_text<Count>("7"), Count(7));
  EXPECT_EQ(to_text(Count()), "auto");
  EXPECT_EQ(to_text(Count(7)), "7");
  EXPECT_EQ(parse_text<Count>("x").error().message(),
            "'x' is not an integer; expected one such as 0, 42 or -7; or auto");
}

TEST(TextForm, PrintsWhatItReads) {
  EXPECT_EQ(*parse_text<double>(to_text(0.1)), 0.1);
  EXPECT_EQ(*parse_text<std::string>(to_text(std::string("a b"))), "a b");
  EXPECT_EQ(*parse_text<bool>(to_text(true)), true);
  EXPECT_EQ(*parse_text<Timestamp>(to_text(Timestamp(5s))), Timestamp(5s));
  EXPECT_EQ(*parse_text<std::uint64_t>(to_text(std::uint64_t{7})), 7u);
  EXPECT_EQ(*parse_text<std::chrono::seconds>(to_text(90s)), 90s);
  EXPECT_EQ(*parse_text<Bytes>(to_text(Bytes(1'024))), Bytes(1'024));
}

TEST(ValueKind, HasAName) {
  EXPECT_EQ(to_string(ValueKind::kText), "text");
  EXPECT_EQ(to_string(ValueKind::kWord), "word");
}

}  // namespace
}  // namespace millrace
