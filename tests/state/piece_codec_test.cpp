#include "millrace/state/piece_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::HasSubstr;

namespace before {
struct Position {
  std::int32_t line = 0;
  std::string file;
};
}  // namespace before

struct Position {
  std::string file;
  std::int64_t line = 0;
  std::string host = "here";
};

namespace other {
struct Position {
  bool line = false;
};
}  // namespace other

Snapshot written() {
  Snapshot snapshot;
  EXPECT_TRUE(put_value(snapshot, "position", before::Position{7, "a"}));
  return snapshot;
}

TEST(PieceCodec, ReadsWhatItWrote) {
  before::Position position;
  ASSERT_TRUE(get_value(written(), "position", position));
  EXPECT_EQ(position.line, 7);
  EXPECT_EQ(position.file, "a");
}

TEST(PieceCodec, ReadsAnElementWhoseTypeHasChanged) {
  Position position;
  const Status read = get_value(written(), "position", position);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(position.line, 7);
  EXPECT_EQ(position.file, "a");
  EXPECT_EQ(position.host, "here");
}

TEST(PieceCodec, ShowsBothSchemasWhereTheChangeIsImpossible) {
  other::Position position;
  const Status read = get_value(written(), "position", position);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(read.error().message(), HasSubstr("Position{line:int32,file:string}"));
  EXPECT_THAT(read.error().message(), HasSubstr("Position{line:bool}"));
}

// As versions before wrote them.
TEST(PieceCodec, TakesAnElementWithoutASchemaAsItIs) {
  Snapshot snapshot;
  snapshot.put("position", *encode_value(Position{.file = "b", .line = 9}));
  Position position;
  ASSERT_TRUE(get_value(snapshot, "position", position));
  EXPECT_EQ(position.line, 9);
}

TEST(PieceCodec, RefusesBytesThatFollow) {
  std::int64_t number = 0;
  EXPECT_EQ(decode_element(std::string(9, '\0'), "int64", number).error().code(),
            ErrorCode::kCorruption);
  EXPECT_EQ(decode_element(std::string(5, '\0'), "int32", number).error().code(),
            ErrorCode::kCorruption);
}

}  // namespace
}  // namespace millrace::detail
