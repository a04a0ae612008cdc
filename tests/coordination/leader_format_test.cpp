#include "millrace/coordination/leader_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

TEST(LeaderFormat, GivesBackWhatWasWritten) {
  for (const LeaderRecord& leader : {LeaderRecord{}, LeaderRecord{7, "host:6123", "n-1"}}) {
    EXPECT_EQ(*decode_leader(*encode_leader(leader), "leader"), leader);
  }
}

TEST(LeaderFormat, StaysWhatItIs) {
  const std::string bytes = *encode_leader({7, "host:6123", "n-1"});
  EXPECT_EQ(bytes.substr(0, 8), "MILLRLDR");
  EXPECT_THAT(bytes, testing::HasSubstr("{epoch:uint64,address:string,candidate:string}"));
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
