#include "millrace/connectors/files/value_text.h"

#include <gtest/gtest.h>

#include <limits>

#include "connectors/payment.h"
#include "millrace/core/records/record.h"

namespace millrace::detail {
namespace {

using test::Colour;

template <class T>
std::string text_of(const T& value) {
  std::string text;
  append_value(type_of<T>(), &value, text);
  return text;
}

template <class T>
std::optional<T> parsed(std::string_view text) {
  T value{};
  return parse_value(type_of<T>(), text, &value) ? std::optional<T>(value) : std::nullopt;
}

template <class T>
void expect_round_trip(const T& value) {
  EXPECT_EQ(parsed<T>(text_of(value)), value) << text_of(value);
}

template <class T>
void expect_limits_to_hold() {
  using Limits = std::numeric_limits<T>;
  expect_round_trip(Limits::min());
  expect_round_trip(Limits::max());
  EXPECT_EQ(parsed<T>(text_of(Limits::max()) + "0"), std::nullopt);
}

TEST(ValueText, IntegersReadBackUpToTheirLimits) {
  expect_limits_to_hold<std::int8_t>();
  expect_limits_to_hold<std::int16_t>();
  expect_limits_to_hold<std::int32_t>();
  expect_limits_to_hold<std::int64_t>();
  expect_limits_to_hold<std::uint8_t>();
  expect_limits_to_hold<std::uint16_t>();
  expect_limits_to_hold<std::uint32_t>();
  expect_limits_to_hold<std::uint64_t>();
}

TEST(ValueText, IntegersOutOfRangeAreNone) {
  EXPECT_EQ(parsed<std::int8_t>("128"), std::nullopt);
  EXPECT_EQ(parsed<std::uint8_t>("-1"), std::nullopt);
  EXPECT_EQ(parsed<std::int64_t>("9223372036854775808"), std::nullopt);
}

TEST(ValueText, WhatFollowsANumberMakesItNone) {
  for (const char* text : {"", "12x", "1 2", "1.0", "0x10", "--1"}) {
    EXPECT_EQ(parsed<std::int64_t>(text), std::nullopt) << text;
  }
  EXPECT_EQ(parsed<double>("1.5x"), std::nullopt);
  EXPECT_EQ(parsed<double>("1e999"), std::nullopt);
}

TEST(ValueText, BlanksAroundAValueThatIsNoStringDoNotCount) {
  EXPECT_EQ(parsed<std::int64_t>(" 42 "), 42);
  EXPECT_EQ(parsed<bool>(" true"), true);
  EXPECT_EQ(parsed<std::string>(" a "), " a ");
}

TEST(ValueText, FloatingPointNumbersAreTheShortestThatReadBack) {
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(0.1F), "0.1");
  EXPECT_EQ(text_of(1e300), "1e+300");
  expect_round_trip(1.0 / 3);
  expect_round_trip(std::numeric_limits<double>::denorm_min());
  expect_round_trip(-std::numeric_limits<float>::max());
}

TEST(ValueText, NumbersThatAreTooSmallAreZero) {
  EXPECT_EQ(parsed<double>("1e-400"), 0.0);
  EXPECT_EQ(parsed<double>("4e-320"), 4e-320);
  EXPECT_EQ(parsed<float>("-1e-60"), -0.0F);
  EXPECT_EQ(parsed<float>("1e39"), std::nullopt);
  EXPECT_EQ(parsed<double>("1e-400x"), std::nullopt);
}

TEST(ValueText, BooleansAreWordsOrDigits) {
  EXPECT_EQ(parsed<bool>("true"), true);
  EXPECT_EQ(parsed<bool>("0"), false);
  EXPECT_EQ(parsed<bool>("yes"), std::nullopt);
  EXPECT_EQ(text_of(true), "true");
}

TEST(ValueText, TimestampsAreIso8601OrMilliseconds) {
  const Timestamp time{Duration(1'500)};
  EXPECT_EQ(text_of(time), "1970-01-01T00:00:01.500Z");
  expect_round_trip(time);
  EXPECT_EQ(parsed<Timestamp>("1500"), time);
  EXPECT_EQ(parsed<Timestamp>("soon"), std::nullopt);
}

TEST(ValueText, DurationsAreTheirTicks) {
  expect_round_trip(std::chrono::seconds(-5));
  EXPECT_EQ(text_of(std::chrono::minutes(3)), "3");
}

TEST(ValueText, EnumsGoByName) {
  EXPECT_EQ(text_of(Colour::kGreen), "kGreen");
  expect_round_trip(Colour::kGreen);
  EXPECT_EQ(parsed<Colour>("kBlue"), std::nullopt);
  EXPECT_EQ(parsed<Colour>("7"), std::nullopt);
}

TEST(ValueText, AnEnumWithoutNameIsItsNumber) {
  EXPECT_EQ(text_of(Colour{9}), "9");
  expect_round_trip(Colour{9});
}

TEST(ValueText, AMessageSaysWhatIsExpected) {
  EXPECT_EQ(expected_text(type_of<std::int8_t>()), "an integer from -128 to 127");
  EXPECT_EQ(expected_text(type_of<Colour>()), "kRed or kGreen");
  EXPECT_EQ(expected_text(type_of<bool>()), "true, false, 1 or 0");
}

}  // namespace
}  // namespace millrace::detail
