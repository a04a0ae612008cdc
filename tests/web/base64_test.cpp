#include "millrace/web/base64.h"

#include <gtest/gtest.h>

#include <utility>

namespace millrace::detail {
namespace {

constexpr std::pair<std::string_view, std::string_view> kExamples[] = {{"", ""},
                                                                       {"f", "Zg=="},
                                                                       {"fo", "Zm8="},
                                                                       {"foo", "Zm9v"},
                                                                       {"foob", "Zm9vYg=="},
                                                                       {"fooba", "Zm9vYmE="},
                                                                       {"foobar", "Zm9vYmFy"}};

TEST(Base64, IsThatOfTheStandard) {
  for (const auto& [bytes, text] : kExamples) {
    EXPECT_EQ(to_base64(bytes), text);
    const Result<std::string> back = from_base64(text);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(*back, bytes);
  }
}

TEST(Base64, BringsBackEveryByte) {
  std::string bytes;
  for (int i = 0; i < 1'000; ++i) {
    bytes += static_cast<char>(i * 7);
    const Result<std::string> back = from_base64(to_base64(bytes));
    ASSERT_TRUE(back);
    ASSERT_EQ(*back, bytes);
  }
}

TEST(Base64, RefusesWhatIsNone) {
  EXPECT_EQ(from_base64("Zg").error().message(),
            "base64 comes in groups of 4, and here are 2 bytes");
  EXPECT_EQ(from_base64("Zm9*").error().message(), "base64 has no '*', which is its byte 4");
  EXPECT_EQ(from_base64("Z===").error().message(), "base64 has no '=', which is its byte 2");
  EXPECT_EQ(from_base64("Zg==Zm8=").error().message(), "base64 has no '=', which is its byte 3");
}

}  // namespace
}  // namespace millrace::detail
