#include <gtest/gtest.h>

#include <limits>

#include "core/kitchen_sink.h"
#include "millrace/core/json/json.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

template <class T>
std::string json(const T& value) {
  std::string text;
  detail::append_json(text, value);
  return text;
}

TEST(JsonWriter, PrintsARecordAsAnObject) {
  EXPECT_EQ(json(Payment{"ch-1", -5, Timestamp(1ms)}),
            R"({"account":"ch-1","cents":-5,"at":"1970-01-01T00:00:00.001Z"})");
}

TEST(JsonWriter, PrintsIntegersInFull) {
  EXPECT_EQ(json(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(json(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(json(std::uint8_t{200}), "200");
  EXPECT_EQ(json(true), "true");
}

TEST(JsonWriter, PrintsTheShortestNumberThatReadsBackTheSame) {
  EXPECT_EQ(json(0.1), "0.1");
  EXPECT_EQ(json(0.1f), "0.1");
  EXPECT_EQ(json(1e300), "1e+300");
  EXPECT_EQ(json(100.0), "100");
}

TEST(JsonWriter, PrintsNumbersThatJsonCannotHoldAsNull) {
  EXPECT_EQ(json(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(json(std::numeric_limits<float>::quiet_NaN()), "null");
}

TEST(JsonWriter, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(json(std::string("a\"b\\c\n\x01\x7f")), R"("a\"b\\c\n\u0001)"
                                                    "\x7f\"");
  for (std::size_t before = 0; before < 20; ++before) {
    const std::string plain(before, 'x');
    EXPECT_EQ(json(plain + "\t" + plain), '"' + plain + "\\t" + plain + '"');
  }
  EXPECT_EQ(json(std::string("h\xc3\xa9llo w\xc3\xb6rld")), "\"h\xc3\xa9llo w\xc3\xb6rld\"");
}

TEST(JsonWriter, PrintsDurationsAsTheirCount) {
  EXPECT_EQ(json(1'500ms), "1500");
  EXPECT_EQ(json(std::chrono::seconds(-2)), "-2");
}

TEST(JsonWriter, PrintsEnumsByNameOrElseByNumber) {
  EXPECT_EQ(json(Color::kGreen), R"("kGreen")");
  EXPECT_EQ(json(static_cast<Color>(-3)), "-3");
}

TEST(JsonWriter, PrintsContainers) {
  EXPECT_EQ(json(std::optional<int>()), "null");
  EXPECT_EQ(json(std::make_unique<int>(3)), "3");
  EXPECT_EQ(json(std::vector<int>{1, 2}), "[1,2]");
  EXPECT_EQ(json(std::array<std::string, 2>{"a", ""}), R"(["a",""])");
  EXPECT_EQ(json(std::map<std::string, int>{{"a", 1}, {"b", 2}}), R"({"a":1,"b":2})");
  EXPECT_EQ(json(std::map<int, bool>{{1, true}, {2, false}}), "[[1,true],[2,false]]");
  EXPECT_EQ(json(std::pair(1, std::string("x"))), R"([1,"x"])");
  EXPECT_EQ(json(std::variant<std::int64_t, Color>(Color::kRed)), R"({"Color":"kRed"})");
  EXPECT_EQ(json(std::monostate()), "{}");
}

}  // namespace
}  // namespace millrace
