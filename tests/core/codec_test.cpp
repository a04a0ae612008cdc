#include "millrace/core/codec/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/kitchen_sink.h"
#include "millrace/core/codec/record_encoder.h"

namespace millrace {
namespace {

using detail::Rows;
using testing::HasSubstr;

template <class T>
std::string encoded(const std::vector<T>& values) {
  std::string bytes;
  const Status status = detail::encode(type_of<T>(), Rows::of(std::span(values)), bytes);
  EXPECT_TRUE(status);
  return bytes;
}

template <class T>
Status decode_into(std::string_view bytes, std::vector<T>& values) {
  const auto rows = detail::MutableRows::of(std::span(values));
  Status status = detail::decode(type_of<T>(), bytes, rows);
  EXPECT_TRUE(!status || bytes.empty());
  return status;
}

template <class T>
void expect_round_trip(const std::vector<T>& values) {
  std::vector<T> decoded(values.size());
  const Status status = decode_into(encoded(values), decoded);
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(decoded, values);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

struct Reading {
  std::int64_t at = 0;
  std::array<float, 3> values{};
  bool valid = false;
  std::int32_t sensor = 0;  // behind padding
};

template <class T>
void expect_encoded_alike(const T& record) {
  std::string bytes = "before ";
  ASSERT_TRUE(detail::RecordEncoder(type_of<T>())(&record, bytes));
  EXPECT_EQ(bytes, "before " + encoded<T>({record}));
}

TEST(RecordEncoder, GivesTheBytesOfOneRow) {
  expect_encoded_alike(std::uint16_t{513});
  expect_encoded_alike(std::string("text"));
  expect_encoded_alike(std::monostate());
  expect_encoded_alike(Payment{"x", 1, Timestamp()});
  expect_encoded_alike(Reading{7, {1, 2, 3}, true, -5});
  expect_encoded_alike(std::pair<Reading, std::int8_t>(Reading{7, {1, 2, 3}, true, -5}, 4));
  expect_encoded_alike(KitchenSink());
}

// These bytes are a disk format: a change of them is a new version.
TEST(Codec, LaysColumnsOutAsDocumented) {
  using std::optional;
  EXPECT_EQ(hex(encoded<std::int32_t>({1, -2})), "01000000feffffff");
  EXPECT_EQ(hex(encoded<std::string>({"ab", "", "c"})), "01020001616263");
  EXPECT_EQ(hex(encoded<Payment>({{"x", 1, Timestamp()}, {"yz", 2, Timestamp()}})),
            "01010278797a"
            "01000000000000000200000000000000"
            "00000000000000000000000000000000");
  EXPECT_EQ(hex(encoded<optional<std::int8_t>>({5, std::nullopt, 7})), "050507");
  EXPECT_EQ(hex(encoded<std::vector<std::int16_t>>({{1, 2}, {}, {3}})), "01020001010002000300");
  EXPECT_EQ(hex(encoded<std::array<std::int8_t, 2>>({{1, 2}, {3, 4}})), "01020304");
  EXPECT_EQ(hex(encoded<std::map<std::string, std::int8_t>>({{{"a", 1}, {"b", 2}}})),
            "0102010101616201"
            "02");
  EXPECT_EQ(hex(encoded<std::variant<std::int8_t, std::string>>({std::int8_t{9}, "q"})),
            "0001090101"
            "71");
  EXPECT_EQ(hex(encoded<Color>({Color::kGreen})), "0500");
  EXPECT_EQ(hex(encoded<std::monostate>({{}, {}, {}})), "00");
  EXPECT_EQ(hex(encoded<std::pair<bool, std::int8_t>>({{true, 3}, {false, 4}})), "01000304");
  EXPECT_EQ(hex(encoded<std::string>({std::string(300, 'a')})).substr(0, 8), "022c0161");
  EXPECT_EQ(hex(encoded<std::string>({})), "");
}

TEST(Codec, RoundTripsEveryKind) {
  expect_round_trip(kitchen_sinks(0));
  expect_round_trip(kitchen_sinks(1));
  expect_round_trip(kitchen_sinks(20));
}

TEST(Codec, RoundTripsLongAndManyStrings) {
  expect_round_trip(std::vector<std::string>{std::string(70'000, 'a'), "", std::string(300, 'b')});
  expect_round_trip(std::vector<std::vector<std::string>>(1'000, {"a", "bc"}));
}

TEST(Codec, RoundTripsMoveOnlyAndRecursiveRecords) {
  std::vector<Tree> trees(2);
  trees[0] = {1, {}, std::make_unique<Tree>(Tree{2, {}, nullptr})};
  trees[1].children.push_back({3, {}, nullptr});
  trees[1].children.push_back({4, {}, std::make_unique<Tree>()});
  std::vector<Tree> decoded(2);
  ASSERT_TRUE(decode_into(encoded(trees), decoded));
  EXPECT_EQ(decoded[0].next->id, 2);
  EXPECT_EQ(decoded[1].children[1].id, 4);
  EXPECT_TRUE(decoded[1].children[1].next);
  EXPECT_EQ(encoded(decoded), encoded(trees));
}

TEST(Codec, ReadsRowsFromAnyPlaces) {
  const Payment first{"a", 1, Timestamp()};
  const Payment second{"b", 2, Timestamp()};
  const std::vector<const void*> places{&second, &first};
  std::string bytes;
  ASSERT_TRUE(detail::encode(type_of<Payment>(), places, bytes));
  EXPECT_EQ(bytes, encoded<Payment>({second, first}));
}

TEST(Codec, ReplacesWhatTheRowsHeld) {
  std::vector<KitchenSink> decoded = kitchen_sinks(7);
  const std::vector<KitchenSink> empty(7);
  ASSERT_TRUE(decode_into(encoded(empty), decoded));
  EXPECT_EQ(decoded, empty);
}

TEST(Codec, KeepsTheBuffersOfStrings) {
  std::vector<std::string> decoded{std::string(100, 'x')};
  const char* buffer = decoded[0].data();
  ASSERT_TRUE(decode_into(encoded<std::string>({std::string(50, 'y')}), decoded));
  EXPECT_EQ(decoded[0].data(), buffer);
}

TEST(Codec, RefusesToEncodeWhatNestsTooDeep) {
  Tree root;
  Tree* deepest = &root;
  for (int i = 0; i < 300; ++i) {
    deepest->next = std::make_unique<Tree>();
    deepest = deepest->next.get();
  }
  const Result<std::string> bytes = detail::encode_value(root);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code(), ErrorCode::kResourceExhausted);
}

TEST(Codec, SaysWhereTheInputIsCorrupt) {
  std::vector<std::string> decoded(2);
  const Status status = decode_into(std::string_view("\x01\x05\x05xy", 5), decoded);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(status.error().message(), "encoded records, byte 3: the input ends too early");
}

TEST(Codec, RefusesEveryCutOfAnEncoding) {
  const std::string bytes = encoded(kitchen_sinks(5));
  std::vector<KitchenSink> decoded(5);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(decode_into(std::string_view(bytes).substr(0, size), decoded)) << size;
  }
}

TEST(Codec, MakesNoMoreElementsThanTheInputCanHold) {
  std::vector<std::vector<std::monostate>> nothings(1);
  const std::string_view four_billion("\x04\xff\xff\xff\xff", 5);
  EXPECT_FALSE(decode_into(four_billion, nothings));
  EXPECT_TRUE(nothings[0].empty());
  std::vector<std::vector<KitchenSink>> sinks(1);
  EXPECT_FALSE(decode_into(std::string("\x02\xff\xff", 3) + std::string(1'000, '\0'), sinks));
  EXPECT_TRUE(sinks[0].empty());
  EXPECT_FALSE(detail::decode_rows<std::monostate>(std::string(8, '\x7f')));
}

TEST(Codec, RefusesBytesThatNoValueHas) {
  std::vector<std::array<bool, 1>> flags(1);
  EXPECT_FALSE(decode_into("\x02", flags));
  std::vector<std::optional<std::monostate>> bits(1);
  EXPECT_FALSE(decode_into(std::string_view("\x02", 1), bits));
  std::vector<std::variant<std::monostate, std::monostate>> variants(1);
  EXPECT_FALSE(decode_into(std::string_view("\x02\x00", 2), variants));
  std::vector<std::map<std::int8_t, std::int8_t>> maps(1);
  EXPECT_FALSE(decode_into(std::string_view("\x01\x02\x07\x07\x01\x02", 6), maps));
}

TEST(Codec, EndsABlockThatNestsForEver) {
  std::vector<Tree> trees(1);
  EXPECT_FALSE(decode_into(std::string(100'000, '\x01'), trees));
}

TEST(CodecBlock, CarriesItsNumberOfRows) {
  const std::vector<Payment> payments{{"a", 1, Timestamp()}, {"b", 2, Timestamp()}};
  std::string bytes;
  ASSERT_TRUE(detail::encode_rows(type_of<Payment>(), Rows::of(std::span(payments)), bytes));
  EXPECT_EQ(*detail::decode_rows<Payment>(bytes), payments);
  bytes += 'x';
  EXPECT_FALSE(detail::decode_rows<Payment>(bytes));
}

TEST(CodecValue, RoundTrips) {
  const std::map<std::string, std::int64_t> written{{"a", 1}, {"b", 2}};
  std::map<std::string, std::int64_t> read;
  ASSERT_TRUE(detail::decode_value(*detail::encode_value(written), read));
  EXPECT_EQ(read, written);
}

}  // namespace
}  // namespace millrace
