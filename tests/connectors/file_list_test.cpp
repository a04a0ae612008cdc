#include "millrace/connectors/files/file_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class FileList : public testing::Test {
 protected:
  // The files that the path below the directory names, relative to it.
  std::vector<std::string> list(const std::string& path) {
    Result<std::vector<std::string>> files = list_files(directory_.path(path));
    if (!files) return {files.error().message()};
    for (std::string& file : *files) file.erase(0, directory_.path().size() + 1);
    return *files;
  }

  test::TemporaryDirectory directory_;
};

TEST_F(FileList, AFileIsItself) {
  directory_.file("a.txt", "");
  EXPECT_THAT(list("a.txt"), ElementsAre("a.txt"));
}

TEST_F(FileList, ADirectoryIsItsFilesAtAnyDepthSorted) {
  for (const char* name : {"in/b", "in/a", "in/sub/deep/c"}) directory_.file(name, "");
  EXPECT_THAT(list("in"), ElementsAre("in/a", "in/b", "in/sub/deep/c"));
}

TEST_F(FileList, HiddenNamesAreLeftOut) {
  for (const char* name : {"in/a", "in/.b", "in/_c", "in/.d/e", "in/_f/g"}) {
    directory_.file(name, "");
  }
  EXPECT_THAT(list("in"), ElementsAre("in/a"));
  EXPECT_THAT(list("in/*"), ElementsAre("in/a"));
  EXPECT_THAT(list("**"), ElementsAre("in/a"));
}

TEST_F(FileList, AHiddenNameCanBeAskedFor) {
  for (const char* name : {"in/.b", "in/_c", "in/a"}) directory_.file(name, "");
  EXPECT_THAT(list("in/.b"), ElementsAre("in/.b"));
  EXPECT_THAT(list("in/_*"), ElementsAre("in/_c"));
}

TEST_F(FileList, AGlobMatchesNames) {
  for (const char* name : {"a1.csv", "a2.csv", "b1.csv", "a1.txt", "sub/a3.csv"}) {
    directory_.file(name, "");
  }
  EXPECT_THAT(list("a?.csv"), ElementsAre("a1.csv", "a2.csv"));
  EXPECT_THAT(list("[b-z]*.csv"), ElementsAre("b1.csv"));
  EXPECT_THAT(list("*/*.csv"), ElementsAre("sub/a3.csv"));
  EXPECT_THAT(list("s*"), ElementsAre("sub/a3.csv"));
}

TEST_F(FileList, TwoStarsStandForAnyDirectories) {
  for (const char* name : {"a.csv", "x/b.csv", "x/y/c.csv", "x/y/d.txt"}) directory_.file(name, "");
  EXPECT_THAT(list("**/*.csv"), ElementsAre("a.csv", "x/b.csv", "x/y/c.csv"));
  EXPECT_THAT(list("x/**/y/*"), ElementsAre("x/y/c.csv", "x/y/d.txt"));
  EXPECT_THAT(list("x/**"), ElementsAre("x/b.csv", "x/y/c.csv", "x/y/d.txt"));
}

TEST_F(FileList, APathThatExistsIsNoGlob) {
  directory_.file("a[1].csv", "");
  directory_.file("a1.csv", "");
  EXPECT_THAT(list("a[1].csv"), ElementsAre("a[1].csv"));
}

TEST_F(FileList, ACircleOfLinksIsHarmless) {
  directory_.file("in/a", "");
  std::filesystem::create_directory_symlink(directory_.path("in"), directory_.path("in/again"));
  EXPECT_THAT(list("in"), ElementsAre("in/a"));
  EXPECT_THAT(list("**/a"), ElementsAre("in/a"));
}

TEST_F(FileList, AMissingFileIsAnErrorThatNamesIt) {
  EXPECT_THAT(list("none.csv"),
              ElementsAre(HasSubstr("there is no file, directory or glob match for '" +
                                    directory_.path("none.csv") + "'")));
}

TEST_F(FileList, NoMatchIsAnError) {
  directory_.file("in/.hidden", "");
  EXPECT_THAT(list("*.csv"), ElementsAre(HasSubstr("matches no files")));
  EXPECT_THAT(list("in"), ElementsAre(HasSubstr("holds no files; those that begin with . or _")));
}

TEST_F(FileList, APipeIsRefusedSinceItCannotBeReadAgain) {
  ASSERT_EQ(mkfifo(directory_.path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(list("pipe"), ElementsAre(HasSubstr("is no regular file")));
}

TEST_F(FileList, AnEmptyPathIsRefused) {
  Result<std::vector<std::string>> files = list_files("");
  ASSERT_FALSE(files);
  EXPECT_THAT(files.error().message(), HasSubstr("is empty"));
}

TEST_F(FileList, AFileIsOneSplitUnlessItIsSplittable) {
  const std::string path = directory_.file("a", std::string(100, 'x'));
  Result<std::vector<FileSplit>> splits = list_splits({.path = path});
  ASSERT_TRUE(splits);
  EXPECT_THAT(*splits, ElementsAre(FileSplit{.path = path}));

  splits = list_splits({.path = path, .splittable = true, .split_bytes = 40});
  ASSERT_TRUE(splits);
  EXPECT_THAT(*splits,
              ElementsAre(FileSplit{.path = path, .begin = 0, .end = 40, .position = 0},
                          FileSplit{.path = path, .begin = 40, .end = 80, .position = 40},
                          FileSplit{.path = path, .begin = 80, .end = kEndOfFile, .position = 80}));
}

TEST_F(FileList, ASplittableFileThatIsEmptyHasNoSplits) {
  Result<std::vector<FileSplit>> splits =
      list_splits({.path = directory_.file("a", ""), .splittable = true});
  ASSERT_TRUE(splits);
  EXPECT_THAT(*splits, SizeIs(0));
}

}  // namespace
}  // namespace millrace::detail
