#include "millrace/state/key_codec.h"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

struct Place {
  std::string town;
  std::int32_t zone = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

template <class K>
void expect_to_be_read_back(const K& key) {
  std::string bytes;
  append_key(bytes, key);
  append_key(bytes, std::string("what follows"));
  for (std::size_t size = 0; size < bytes.size() - 20; ++size) {
    std::string_view cut = std::string_view(bytes).substr(0, size);
    K other{};
    EXPECT_FALSE(read_key(cut, other)) << size << " bytes of it";
  }
  std::string_view in = bytes;
  K read{};
  ASSERT_TRUE(read_key(in, read));
  EXPECT_TRUE(key_equal(read, key));
  std::string rest;
  ASSERT_TRUE(read_key(in, rest));
  EXPECT_EQ(rest, "what follows");
}

TEST(KeyCodec, ReadsBackWhatItWrote) {
  expect_to_be_read_back<std::int64_t>(-3);
  expect_to_be_read_back<std::uint8_t>(200);
  expect_to_be_read_back(std::string("a \0 b", 5));
  expect_to_be_read_back(Timestamp(Duration(-5)));
  expect_to_be_read_back(std::chrono::seconds(7));
  expect_to_be_read_back(Place{"Basel", 4});
  expect_to_be_read_back(std::tuple<std::string, std::int64_t>("x", 1));
  expect_to_be_read_back(std::optional<std::int32_t>(4));
  expect_to_be_read_back(std::optional<std::int32_t>());
  expect_to_be_read_back(std::vector<std::string>{"a", "", "bc"});
  expect_to_be_read_back(std::array<std::int16_t, 2>{1, -2});
  expect_to_be_read_back(std::variant<std::int64_t, std::string>("text"));
}

TEST(KeyCodec, WritesAWiderIntegerAsTheNarrowOne) {
  std::string narrow;
  std::string wide;
  append_key(narrow, std::int16_t{-7});
  append_key(wide, std::int64_t{-7});
  EXPECT_EQ(narrow, wide);
}

}  // namespace
}  // namespace millrace::detail
