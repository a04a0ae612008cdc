#include "millrace/state/rocksdb/working_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using test::TemporaryDirectory;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(WorkingDirectory, IsMadeWithTheDirectoriesAboveIt) {
  const TemporaryDirectory root;
  EXPECT_TRUE(WorkingDirectory::open(root.path("a/b")));
  EXPECT_TRUE(std::filesystem::is_directory(root.path("a/b")));
}

TEST(WorkingDirectory, FoldersOfOneNameAreDifferentAndGoWithTheirObjects) {
  const TemporaryDirectory root;
  const auto directory = WorkingDirectory::open(root.path());
  ASSERT_TRUE(directory);
  {
    auto first = (*directory)->make_folder("sum");
    const auto second = (*directory)->make_folder("sum");
    ASSERT_TRUE(first && second);
    EXPECT_NE(first->path(), second->path());
    root.file((first->path().filename() / "deep/file").native(), "x");
    const ScratchFolder moved = *std::move(first);
    EXPECT_TRUE(std::filesystem::is_directory(moved.path()));
  }
  EXPECT_THAT(root.names(), ElementsAre("lock"));
}

TEST(WorkingDirectory, GivesNoNameAgainThatOneBeforeItGave) {
  const TemporaryDirectory root;
  const auto first = (*WorkingDirectory::open(root.path()))->make_folder("sum");
  const auto second = (*WorkingDirectory::open(root.path()))->make_folder("sum");
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->path(), second->path());
}

TEST(WorkingDirectory, AnyNameIsOneFolder) {
  const TemporaryDirectory root;
  const auto directory = WorkingDirectory::open(root.path());
  for (const std::string& name : {std::string("../a/b"), std::string(), std::string(300, 'x')}) {
    const auto folder = (*directory)->make_folder(name);
    ASSERT_TRUE(folder) << folder.error().message();
    EXPECT_EQ(folder->path().parent_path(), root.path());
  }
}

TEST(WorkingDirectory, WhatAFormerProcessLeftIsRemovedAndNothingElse) {
  const TemporaryDirectory root;
  root.file("sum-1.scratch/000001.sst", "x");
  root.file("results/part-1", "x");
  root.file("notes", "x");
  EXPECT_TRUE(WorkingDirectory::open(root.path()));
  EXPECT_THAT(root.names(), ElementsAre("lock", "notes", "results"));
}

TEST(WorkingDirectory, IsOneOwnersAtATime) {
  const TemporaryDirectory root;
  auto first = WorkingDirectory::open(root.path());
  ASSERT_TRUE(first);
  const auto second = WorkingDirectory::open(root.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message(),
              AllOf(HasSubstr(root.path()), HasSubstr("in use by another process")));
  first->reset();
  EXPECT_TRUE(WorkingDirectory::open(root.path()));
}

void expect_unusable(const std::string& path) {
  const auto opened = WorkingDirectory::open(path);
  ASSERT_FALSE(opened) << path;
  EXPECT_EQ(opened.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(opened.error().message(), AllOf(HasSubstr(path), HasSubstr("name another")));
}

TEST(WorkingDirectory, AFileOrAPlaceThatCannotBeWrittenIsRefused) {
  const TemporaryDirectory root;
  expect_unusable(root.file("file", "x"));
  expect_unusable(root.path("file/below"));
  expect_unusable("/proc/millrace");  // nobody may write there, root included
  expect_unusable("/proc");
}

TEST(WorkingDirectory, AFolderThatCannotBeMadeIsAnError) {
  const TemporaryDirectory root;
  const auto directory = WorkingDirectory::open(root.path("a"));
  std::filesystem::remove_all(root.path("a"));
  const auto folder = (*directory)->make_folder("sum");
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message(), HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace millrace::detail
