#include "millrace/coordination/leader_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

TEST(LeaderFormat, GivesBackWhatWasWritten) {
  for (const LeaderRecord& leader : {LeaderRecord{}, LeaderRecord{7, "host:6123", "n-1"}}) {
    EXPECT_EQ(*decode_leader(*encode_leader(leader), "leader"), leader);
  }
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += concat(kHexDigits[byte >> 4], kHexDigits[byte & 0xf]);
  }
  return text;
}

constexpr std::string_view kSchema = "LeaderRecord{epoch:uint64,address:string,candidate:string}";

TEST(LeaderFormat, HasTheseBytes) {
  const std::string bytes = *encode_leader({7, "host:6123", "n-1"});
  EXPECT_EQ(bytes.substr(0, 8), "MILLRLDR");
  EXPECT_EQ(hex(bytes.substr(8, 16)), "010000003a0000007a00000000000000");
  EXPECT_EQ(bytes.substr(24, kSchema.size()), kSchema);
  EXPECT_EQ(hex(bytes.substr(24 + kSchema.size())),
            "07000000000000000109686f73743a3631323301036e2d3184fb2f7f242d9a932a077d9ecc7afdad");
}

TEST(LeaderFormat, RefusesEveryDamage) {
  const std::string good = *encode_leader({7, "host:6123", "n-1"});
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(decode_leader(good.substr(0, size), "leader").error().code(), ErrorCode::kCorruption);
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    EXPECT_FALSE(decode_leader(bytes, "leader")) << at;
  }
  EXPECT_THAT(decode_leader("garbage", "/millrace/c/leader").error().message(),
              testing::HasSubstr("'/millrace/c/leader' is no Millrace leader record"));
}

}  // namespace
}  // namespace millrace::detail
