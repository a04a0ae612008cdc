#include "millrace/core/checksum.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Checksum, IsXxh3Of128Bits) {
  EXPECT_EQ(to_string(checksum_of("")), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(to_string(Checksum{.high = 1, .low = 0xabc}), "00000000000000010000000000000abc");
}

TEST(Checksum, OfPiecesIsThatOfTheWhole) {
  std::string whole;
  Checksummer pieces;
  for (int i = 0; i < 1'000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 7), static_cast<char>(i));
    pieces.add(piece);
    whole += piece;
    EXPECT_EQ(pieces.result(), checksum_of(whole));
  }
  EXPECT_EQ(pieces.result(), checksum_of(whole));
}

}  // namespace
}  // namespace millrace
