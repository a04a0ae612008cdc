#include "millrace/state/sealed_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "millrace/core/checksum.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

constexpr SealedFormat kFormat{.magic = "MILLTEST", .version = 3, .what = "test"};

struct Pair {
  std::int32_t a = 1;
  std::string b;
  bool operator==(const Pair&) const = default;
};

namespace newer {
struct Pair {
  std::int64_t a = 1;
  std::string added = "default";
  std::string b;
};
}  // namespace newer

namespace other {
struct Pair {
  std::string a;
};
}  // namespace other

std::string sealed() { return *seal(kFormat, Pair{.a = 7, .b = "seven"}); }

// The same with other bytes from `at` on, and a checksum that is right.
std::string altered(std::string bytes, std::size_t at, std::string_view with) {
  bytes.replace(at, with.size(), with);
  const Checksum sum = checksum_of(std::string_view(bytes).substr(0, bytes.size() - 16));
  std::memcpy(bytes.data() + bytes.size() - 16, &sum.low, 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &sum.high, 8);
  return bytes;
}

Error refusal(std::string_view bytes) {
  Result<Pair> record = unseal<Pair>(kFormat, bytes, "the/file");
  EXPECT_FALSE(record);
  return record ? internal("it was read") : record.error();
}

TEST(SealedRecord, IsReadBack) {
  EXPECT_EQ(*unseal<Pair>(kFormat, sealed(), "f"), (Pair{.a = 7, .b = "seven"}));
}

TEST(SealedRecord, IsReadByAVersionThatHasMoreFields) {
  const auto pair = unseal<newer::Pair>(kFormat, sealed(), "f");
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->a, 7);
  EXPECT_EQ(pair->b, "seven");
  EXPECT_EQ(pair->added, "default");
}

TEST(SealedRecord, RefusesEachFlippedBit) {
  const std::string good = sealed();
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    std::string bytes = good;
    bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ 1 << i % 8);
    const Error error = refusal(bytes);
    EXPECT_EQ(error.code(), ErrorCode::kCorruption) << "bit " << i;
    EXPECT_THAT(error.message(), HasSubstr("'the/file'"));
    EXPECT_THAT(error.message(), HasSubstr("byte"));
  }
}

TEST(SealedRecord, SaysWhereItIsTruncated) {
  const std::string good = sealed();
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Error error = refusal(good.substr(0, size));
    EXPECT_EQ(error.code(), ErrorCode::kCorruption);
    const std::size_t of = size < 40 ? 40 : good.size();
    EXPECT_THAT(error.message(),
                HasSubstr("'the/file' is truncated at byte " + std::to_string(size) + " of " +
                          (size < 40 ? "at least " : "") + std::to_string(of)));
  }
}

TEST(SealedRecord, RefusesWhatFollowsIt) {
  const std::string good = sealed();
  EXPECT_THAT(refusal(good + "x").message(),
              HasSubstr("goes on after byte " + std::to_string(good.size())));
}

TEST(SealedRecord, RefusesWhatIsForeign) {
  EXPECT_EQ(refusal("#!/bin/sh\nexit 0\n").message(),
            "'the/file' is no Millrace test: bytes 0 to 7 are '#!/bin/s', expected 'MILLTEST'; "
            "restore another test, or this file from a backup");
}

TEST(SealedRecord, NamesTheVersionThatWroteIt) {
  const Error error = refusal(altered(sealed(), 8, std::string_view("\x04\0\0\0", 4)));
  EXPECT_EQ(error, unsupported("'the/file' is of version 4 of the format of a test, this Millrace "
                               "reads version 3; use the Millrace that wrote it"));
}

TEST(SealedRecord, RefusesASchemaThatDoesNotFit) {
  const Error error = refusal(altered(sealed(), 12, "\xff\xff\xff\xff"));
  EXPECT_THAT(error.message(), HasSubstr("bytes 12 to 15 that its schema has 4294967295 bytes"));
}

TEST(SealedRecord, RefusesASchemaThatIsNone) {
  EXPECT_THAT(refusal(altered(sealed(), 24, "?{{{")).message(), HasSubstr("has no schema"));
}

TEST(SealedRecord, RefusesARecordOfAnotherType) {
  const Error error = unseal<other::Pair>(kFormat, sealed(), "the/file").error();
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("'the/file'"));
}

TEST(SealedRecord, RefusesARecordThatCannotBeDecoded) {
  const std::string good = sealed();
  const std::size_t length = good.size() - 16 - 5 - 1;  // of the string
  EXPECT_THAT(refusal(altered(good, length, "\x09")).message(), HasSubstr("cannot be decoded"));
  EXPECT_THAT(refusal(altered(good, length, "\x04")).message(),
              HasSubstr("holds 1 bytes after its record"));
}

}  // namespace
}  // namespace millrace::detail
