#include "millrace/core/json/schema_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "millrace/core/codec/codec.h"
#include "millrace/core/json/json.h"

namespace millrace::detail {
namespace {

template <class T>
std::string by_schema(const T& value) {
  std::string text;
  const Status status =
      append_json(text, schema_of(type_of<T>()), std::string_view(*encode_value(value)));
  return status ? text : status.error().message();
}

template <class T>
std::string by_type(const T& value) {
  std::string text;
  append_json(text, value);
  return text;
}

template <class T>
void expect_same(const T& value) {
  EXPECT_EQ(by_schema(value), by_type(value));
}

struct Inner {
  std::vector<std::optional<std::string>> words;
  std::variant<std::int32_t, std::string> either;
};

struct Outer {
  std::map<std::string, std::vector<Inner>> named;
  std::map<std::int64_t, double> numbers;
  std::array<std::uint8_t, 3> bytes{};
  std::tuple<bool, float> pair;
  Timestamp at{};
  std::chrono::seconds time{};
  std::uint64_t large = 0;
  std::vector<Outer> below;
};

TEST(SchemaJson, IsWhatTheTypeWouldGive) {
  expect_same(std::int64_t{-7});
  expect_same(std::string("a \"quoted\" line\n"));
  expect_same(std::optional<std::int32_t>());
  expect_same(std::vector<std::string>{"", "x"});
  Outer outer{.named = {{"a", {{{"x", std::nullopt}, "s"}, {{}, 7}}}, {"b", {}}},
              .numbers = {{-1, 0.5}, {2, 1e300}},
              .bytes = {1, 2, 255},
              .pair = {true, 0.25F},
              .at = Timestamp(Duration(1'763'654'400'000)),
              .time = std::chrono::seconds(5),
              .large = ~std::uint64_t{0}};
  expect_same(outer);
  outer.below = {outer, Outer()};
  expect_same(outer);
}

enum class Colour : std::uint8_t { kRed, kGreen };

TEST(SchemaJson, HasNumbersForEnums) { EXPECT_EQ(by_schema(Colour::kGreen), "1"); }

TEST(SchemaJson, TrustsNothing) {
  Outer outer{.named = {{"a", {{{"x", std::nullopt}, "s"}, {{}, 7}}}}, .numbers = {{-1, 0.5}}};
  outer.below = {outer};
  const std::string good = *encode_value(outer);
  const Schema schema = schema_of(type_of<Outer>());
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::string text;
    const Status cut = append_json(text, schema, std::string_view(good).substr(0, size));
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error().code(), ErrorCode::kCorruption);
  }
  std::string text;
  EXPECT_FALSE(append_json(text, schema, good + 'x'));
  std::mt19937 random(7);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes = good;
    for (int n = 0; n < 3; ++n) bytes[random() % bytes.size()] = static_cast<char>(random());
    (void)append_json(text, schema, std::string_view(bytes));
  }
}

}  // namespace
}  // namespace millrace::detail
