#include "millrace/connectors/files/text_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/drive.h"
#include "millrace/connectors/files/text_reader.h"
#include "millrace/core/random.h"
#include "support/temporary_directory.h"

namespace millrace::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAreArray;

class Text : public testing::Test {
 protected:
  std::vector<std::string> lines_of(std::string_view content, ReadOptions options = {}) {
    return records_of(text_files(directory_.file("text", content)).spec(), options);
  }

  // Splits of few bytes, which spec() does not offer.
  SourceSpec<std::string> ranges(const std::string& path, std::int64_t bytes) {
    return source<detail::FileSource<std::string, detail::TextReader>>(
        detail::FileInput{.path = path, .splittable = true, .split_bytes = bytes},
        detail::TextOptions{});
  }

  TemporaryDirectory directory_;
};

TEST_F(Text, LinesComeWithoutTheirEnds) {
  EXPECT_THAT(lines_of("one\ntwo\r\n\nthree\n"), ElementsAre("one", "two", "", "three"));
}

TEST_F(Text, TheLastLineNeedsNoEnd) {
  EXPECT_THAT(lines_of("one\ntwo"), ElementsAre("one", "two"));
  EXPECT_THAT(lines_of("one\r"), ElementsAre("one"));
}

TEST_F(Text, AByteOrderMarkDoesNotCount) {
  EXPECT_THAT(lines_of("\xEF\xBB\xBFone\ntwo\n"), ElementsAre("one", "two"));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"), IsEmpty());
  EXPECT_THAT(lines_of("\xEF\xBB"), ElementsAre("\xEF\xBB"));
  EXPECT_THAT(lines_of("one\n\xEF\xBB\xBFtwo"), ElementsAre("one", "\xEF\xBB\xBFtwo"));
  EXPECT_THAT(lines_of("\xEF\xBB\xBFone\ntwo", {.limit = 1, .restore_after_each_poll = true}),
              ElementsAre("one", "two"));
}

TEST_F(Text, AnEmptyFileHasNoLines) {
  EXPECT_THAT(lines_of(""), IsEmpty());
  EXPECT_THAT(lines_of("\n"), ElementsAre(""));
}

TEST_F(Text, FilesAreReadInTheOrderOfTheirPaths) {
  directory_.file("in/b", "three\n");
  directory_.file("in/a", "one\ntwo");
  EXPECT_THAT(records_of(text_files(directory_.path("in")).spec()),
              ElementsAre("one", "two", "three"));
}

TEST_F(Text, ALineMayBeLongerThanTheBuffer) {
  const std::string line(3'000'000, 'x');
  EXPECT_THAT(lines_of("a\n" + line + "\nb\n"), ElementsAre("a", line, "b"));
}

TEST_F(Text, ALineBeyondTheLimitIsAnErrorThatSaysWhereItIs) {
  const std::string path = directory_.file("text", "first\n");
  std::filesystem::resize_file(path, detail::kLongestRecord + 10);
  EXPECT_THAT(error_of(text_files(path).spec()),
              HasSubstr("holds a record of more than 64 MiB, which begins at byte 6"));
}

TEST_F(Text, AMissingFileIsAnError) {
  EXPECT_THAT(error_of(text_files(directory_.path("none")).spec()), HasSubstr("there is no file"));
}

TEST_F(Text, ReadingGoesOnAfterARestore) {
  std::string content;
  for (int i = 0; i < 50; ++i) content += "line " + std::to_string(i) + "\n";
  const std::vector<std::string> plain = lines_of(content);
  for (const std::size_t limit : {1, 2, 7}) {
    EXPECT_EQ(lines_of(content, {.limit = limit, .restore_after_each_poll = true}), plain);
  }
}

TEST_F(Text, AFileThatShrankMeanwhileIsAnError) {
  const std::string path = directory_.file("text", "one\ntwo\nthree\n");
  SourceDrive<std::string> drive(text_files(path).spec(), {.limit = 2});
  ASSERT_TRUE(drive.start());
  ASSERT_TRUE(drive.poll());
  directory_.file("text", "one\n");
  ASSERT_TRUE(drive.restart());
  Result<Poll> poll = drive.poll();
  ASSERT_FALSE(poll);
  EXPECT_THAT(poll.error().message(), HasSubstr("has 4 bytes, but it was read up to byte 8"));
}

TEST_F(Text, RangesHoldEachLineOnce) {
  Random random(1);
  for (int round = 0; round < 50; ++round) {
    std::string content = random.chance(0.3) ? "\xEF\xBB\xBF" : "";
    for (std::uint64_t i = random.below(40); i > 0; --i) {
      content += std::string(random.below(12), static_cast<char>('a' + i % 26));
      content += random.chance(0.2) ? "\r\n" : "\n";
    }
    if (random.chance(0.5)) content += "last";
    const std::string path = directory_.file("text", content);
    const auto bytes = static_cast<std::int64_t>(1 + random.below(30));
    const auto plain = records_of(text_files(path).spec());
    EXPECT_EQ(records_of(ranges(path, bytes)), plain) << content;
    EXPECT_EQ(records_of(ranges(path, bytes), {.limit = 2, .restore_after_each_poll = true}), plain)
        << content;
  }
}

TEST_F(Text, IsBoundedAndParallel) {
  const SourceSpec<std::string> spec = text_files("x").spec();
  EXPECT_TRUE(spec.bounded);
  EXPECT_FALSE(spec.single);
  EXPECT_EQ(spec.kind, "text_files");
}

}  // namespace
}  // namespace millrace::test
