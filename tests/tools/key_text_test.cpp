#include "millrace/tools/key_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "millrace/core/json/json.h"
#include "millrace/core/records/hash.h"
#include "millrace/state/key_codec.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

enum class Colour : std::int16_t { kRed = -1 };

struct Place {
  std::string shop;
  std::optional<std::int32_t> shelf;
  std::vector<std::uint8_t> boxes;
  std::variant<bool, std::string> either;
  Timestamp at{};
  std::tuple<std::uint64_t, Colour> pair{0, Colour::kRed};
  std::array<std::int64_t, 2> two{};
  std::chrono::seconds time{};
};

// What a program writes is read without it, hashed like there, and written again.
template <class K>
void expect_same(const K& key) {
  const Schema schema = schema_of(type_of<K>());
  std::string bytes;
  append_key(bytes, key);
  std::string_view rest = bytes;
  std::string json;
  ASSERT_TRUE(append_key_json(json, schema, rest));
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(*hash_of_key(schema, bytes), hash_key(key));
  const Result<std::string> parsed = parse_key(schema, json);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(*parsed, bytes);
}

TEST(KeyText, ReadsHashesAndWritesWhatProgramsDo) {
  expect_same(std::int64_t{-5});
  expect_same(std::uint8_t{200});
  expect_same(~std::uint64_t{0});
  expect_same(true);
  expect_same(std::string("a \"b\""));
  expect_same(Timestamp(Duration(1'763'654'400'123)));
  expect_same(Colour::kRed);
  expect_same(std::optional<std::string>());
  expect_same(std::pair<std::string, std::int64_t>{"Basel", 7});
  Place place{.shop = "Basel",
              .shelf = 7,
              .boxes = {1, 255},
              .either = "x",
              .at = Timestamp(Duration(5)),
              .two = {-1, 1},
              .time = std::chrono::seconds(3)};
  expect_same(place);
  place.either = true;
  place.shelf.reset();
  expect_same(place);
}

TEST(KeyText, TakesAWordForAString) {
  const Schema text = *Schema::parse("string");
  EXPECT_EQ(*parse_key(text, "word"), *parse_key(text, "\"word\""));
  EXPECT_EQ(*parse_key(text, "7"), *parse_key(text, "\"7\""));
  const Schema time = *Schema::parse("timestamp");
  EXPECT_EQ(*parse_key(time, "1970-01-01T00:00:00.005Z"), *parse_key(time, "5"));
}

TEST(KeyText, RefusesWhatIsNoKeyOfTheState) {
  for (const auto& [schema, text] : std::vector<std::pair<const char*, const char*>>{
           {"int64", "word"},
           {"int64", "1.5"},
           {"int8", "200"},
           {"uint8", "-1"},
           {"bool", "1"},
           {"timestamp", "yesterday"},
           {"array<int64,2>", "[1]"},
           {"Key{a:int64}", "{\"b\":1}"},
           {"Key{a:int64}", "{\"a\":1,\"b\":1}"},
           {"variant<int64:int64>", "{\"string\":1}"}}) {
    const Result<std::string> parsed = parse_key(*Schema::parse(schema), text);
    ASSERT_FALSE(parsed) << schema << " " << text;
    EXPECT_THAT(parsed.error().message(), HasSubstr(schema));
  }
}

TEST(KeyText, TrustsNoBytes) {
  const Schema schema = schema_of(type_of<Place>());
  std::string good;
  append_key(good, Place{.shop = "Basel", .boxes = {1, 2}});
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(hash_of_key(schema, good.substr(0, size))) << size;
  }
  EXPECT_FALSE(hash_of_key(schema, good + 'x'));
  std::mt19937 random(3);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes = good;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    (void)hash_of_key(schema, bytes);
  }
}

}  // namespace
}  // namespace millrace::detail
