#include "millrace/state/savepoint/row_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "millrace/core/checksum.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint32_t kGroups = 4;

// A key of that state and group, as the numbers 0x00 to 0x03 begin a hash of four groups.
std::string key_of(char state, unsigned group, std::string_view rest) {
  return concat(std::string({'\0', state, static_cast<char>(group << 6), '\0', '\0', '\1'}), rest);
}

struct Row {
  std::string key;
  std::string value;
  bool operator==(const Row&) const = default;
};

std::vector<Row> rows() {
  return {{key_of(0, 0, "a"), "1"},
          {key_of(0, 0, "b"), ""},
          {key_of(0, 3, "a"), "3"},
          {key_of(1, 3, "a"), "4"}};
}

RowBlockWriter::File file_of(const std::vector<Row>& all) {
  RowBlockWriter writer(kGroups);
  for (const Row& row : all) writer.add(row.key, row.value);
  return writer.take();
}

Result<std::vector<Row>> read(std::string_view bytes) {
  RowBlockReader reader(bytes, "rows-1");
  std::vector<Row> found;
  for (;;) {
    Result<bool> more = reader.next();
    if (!more) return more.error();
    if (!*more) return found;
    found.push_back({std::string(reader.key()), std::string(reader.value())});
  }
}

Error refusal(std::string_view bytes) {
  const Result<std::vector<Row>> found = read(bytes);
  return found ? internal("it was read") : found.error();
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += concat(kHexDigits[byte >> 4], kHexDigits[byte & 0xf]);
  }
  return text;
}

TEST(RowBlocks, AreReadBack) {
  const RowBlockWriter::File file = file_of(rows());
  EXPECT_EQ(*read(file.bytes), rows());
  EXPECT_EQ(file.rows.first_key, rows().front().key);
  EXPECT_EQ(file.rows.last_key, rows().back().key);
  EXPECT_EQ(file.rows.rows, 4U);
}

TEST(RowBlocks, HaveTheseBytes) {
  const std::string bytes = file_of({rows()[0], rows()[2]}).bytes;
  EXPECT_EQ(bytes.substr(0, 8), "MILLRROW");
  EXPECT_EQ(hex(bytes.substr(8, 4)), "01000000");
  EXPECT_EQ(hex(bytes.substr(12, 24)),
            "0100000010000000"
            "07000000"
            "00000000000161"
            "01000000"
            "31");
  EXPECT_EQ(hex(bytes.substr(36, 16)), "a882d16a8d864e2f8272797b95ab451e");
  EXPECT_EQ(hex(bytes.substr(52, 24)),
            "0100000010000000"
            "07000000"
            "0000c000000161"
            "01000000"
            "33");
  EXPECT_EQ(bytes.size(), 92U);
}

// So that the same state is the same bytes, however it was dealt to writers.
TEST(RowBlocks, OfAKeyGroupAreTheSameBytesWhateverIsWrittenBesideThem) {
  const std::string together = file_of(rows()).bytes;
  std::string apart = file_of({rows()[0], rows()[1]}).bytes;
  apart += file_of({rows()[2]}).bytes.substr(12);
  apart += file_of({rows()[3]}).bytes.substr(12);
  EXPECT_EQ(together, apart);
}

TEST(RowBlocks, EndAFileAfterABlockOnceItIsLarge) {
  RowBlockWriter writer(kGroups);
  std::size_t written = 0;
  const std::string value(1000, 'v');
  const auto key = [](std::size_t i) {
    std::string number = std::to_string(i);
    return key_of(0, 1, std::string(8 - number.size(), '0') + number);
  };
  while (!writer.ends_file_before(key(written))) writer.add(key(written++), value);
  RowBlockWriter::File file = writer.take();
  EXPECT_GE(file.bytes.size(), kRowsFileBytes);
  EXPECT_LE(file.bytes.size(), kRowsFileBytes + 2 * kBlockBytes);
  EXPECT_EQ(read(file.bytes)->size(), written);
  EXPECT_EQ(file.rows.last_key, key(written - 1));
  EXPECT_TRUE(writer.empty());
  writer.add(key(written), value);
  EXPECT_EQ(writer.take().rows.first_key, key(written));
}

TEST(RowBlocks, RefuseEachByteFlipped) {
  const std::string good = file_of(rows()).bytes;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      const Error error = refusal(bytes);
      EXPECT_THAT(error.message(), HasSubstr("'rows-1', bytes ")) << i;
      const bool version = i >= 8 && i < 12;
      EXPECT_EQ(error.code(), version ? ErrorCode::kUnsupported : ErrorCode::kCorruption) << i;
    }
  }
}

TEST(RowBlocks, NameTheBlockThatIsDamaged) {
  std::string bytes = file_of(rows()).bytes;
  bytes[bytes.size() - 20] ^= 1;  // in the last of three blocks
  EXPECT_EQ(refusal(bytes).message(),
            "'rows-1', bytes 107 to 146: this block differs from what was written; restore another "
            "savepoint, or this file from a backup");
}

// A file that ends with a block is whole to itself: its size is in the metadata.
TEST(RowBlocks, RefuseEachTruncationWithinABlock) {
  const std::string good = file_of({rows()[0], rows()[1]}).bytes;
  for (std::size_t size = 0; size < good.size(); ++size) {
    if (size == 12) continue;
    EXPECT_EQ(refusal(good.substr(0, size)).code(), ErrorCode::kCorruption) << size;
  }
}

// Somebody may forge a checksum.
TEST(RowBlocks, RefuseRowsInNoOrder) {
  std::string bytes = file_of({rows()[0], rows()[1]}).bytes;
  const std::size_t block = 12;
  std::swap(bytes[block + 8 + 4 + 6], bytes[block + 8 + 4 + 7 + 4 + 1 + 4 + 6]);
  const std::size_t end = bytes.size() - 16;
  const Checksum sum = checksum_of(std::string_view(bytes).substr(block, end - block));
  std::memcpy(bytes.data() + end, &sum.low, 8);
  std::memcpy(bytes.data() + end + 8, &sum.high, 8);
  EXPECT_THAT(refusal(bytes).message(), HasSubstr("this is no row where one must be"));
}

}  // namespace
}  // namespace millrace::detail
