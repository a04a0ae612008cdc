#include "millrace/core/sha256.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr std::string_view kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, IsTheStandardsOneInAnyPieces) {
  EXPECT_EQ(Sha256().take(), kOfNothing);
  Sha256 hash;
  hash.add("a");
  hash.add("");
  hash.add("bc");
  EXPECT_EQ(hash.take(), kOfAbc);
}

TEST(Sha256, KnowsItsForm) {
  EXPECT_TRUE(is_sha256(kOfAbc));
  EXPECT_FALSE(is_sha256(kOfAbc.substr(1)));
  EXPECT_FALSE(is_sha256(std::string(64, 'A')));
  EXPECT_FALSE(is_sha256("../../../../../../../../../../../../../../../../../../../etc/passwd"));
}

}  // namespace
}  // namespace millrace
