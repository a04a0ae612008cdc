#include "millrace/state/files/directory_checkpoint_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "millrace/core/text.h"
#include "millrace/state/files/real_file_system.h"
#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

CheckpointName checkpoint(std::uint64_t id, std::uint64_t epoch = 1) {
  return {.id = CheckpointId(id), .epoch = epoch};
}

class DirectoryCheckpointStoreTest : public testing::Test {
 protected:
  DirectoryCheckpointStore store_in(std::string_view name) {
    return {files_, directory_.path(name)};
  }

  TemporaryDirectory directory_;
  RealFileSystem files_;
  DirectoryCheckpointStore store_{files_, directory_.path()};
};

TEST_F(DirectoryCheckpointStoreTest, LiesWhereTheFormatSays) {
  ASSERT_TRUE(store_.put(checkpoint(3, 2), "rows", ""));
  ASSERT_TRUE(store_.write_metadata(checkpoint(3, 2), "metadata"));
  EXPECT_THAT(directory_.names(), ElementsAre("chk-3-2", "shared"));
  EXPECT_THAT(directory_.names("shared"), ElementsAre("99aa06d3014798d86001c324468d497f-3-2"));
  EXPECT_THAT(directory_.names("chk-3-2"), ElementsAre("_metadata"));
  EXPECT_EQ(directory_.read("chk-3-2/_metadata"), "metadata");
}

TEST_F(DirectoryCheckpointStoreTest, LinksFilesOfTheSameDisk) {
  const std::string source = directory_.file("000012.sst", "rows");
  const Result<StoredFile> file = store_.put_file(checkpoint(1), "000012.sst", source);
  ASSERT_TRUE(file);
  EXPECT_EQ(std::filesystem::hard_link_count(source), 2u);
  // Again, as after a failure: both are one file already.
  ASSERT_TRUE(store_.put_file(checkpoint(1), "000012.sst", source));
  EXPECT_EQ(std::filesystem::hard_link_count(source), 2u);
  EXPECT_EQ(directory_.names("shared").size(), 1u);
}

TEST_F(DirectoryCheckpointStoreTest, GivesOutCopiesWhichMayChange) {
  const Result<StoredFile> file = store_.put(checkpoint(1), "rows", "rows");
  ASSERT_TRUE(file);
  ASSERT_TRUE(store_.fetch_file(*file, directory_.path("to")));
  directory_.file("to", "changed");
  EXPECT_EQ(*store_.fetch(*file), "rows");
}

TEST_F(DirectoryCheckpointStoreTest, RemovesLeftoversButNothingOfOthers) {
  const Result<StoredFile> mine = store_.put(checkpoint(1), "f", "f");
  ASSERT_TRUE(mine);
  ASSERT_TRUE(store_.write_metadata(checkpoint(1), "m"));
  for (const char* name : {"notes.txt", ".lock", "chk-1", "chk-01-1/_metadata", "shared/README",
                           "shared/.writing-2-1-x", "chk-2-1/.writing-2-1-x",
                           "shared/.writing-1-1-x", "chk-1-1/.writing-1-1-x"}) {
    directory_.file(name, "x");
  }
  ASSERT_TRUE(store_.remove_unused(checkpoint(1), {}, {}));
  EXPECT_THAT(directory_.names(),
              ElementsAre(".lock", "chk-01-1", "chk-1", "chk-2-1", "notes.txt", "shared"));
  EXPECT_THAT(directory_.names("shared"), ElementsAre(".writing-2-1-x", "README"));
}

TEST_F(DirectoryCheckpointStoreTest, LeavesAFolderThatHoldsSomethingElse) {
  ASSERT_TRUE(store_.write_metadata(checkpoint(1), "m"));
  directory_.file("chk-1-1/notes.txt", "x");
  ASSERT_TRUE(store_.remove_unused(checkpoint(1), {}, {}));
  EXPECT_THAT(directory_.names("chk-1-1"), ElementsAre("notes.txt"));
}

TEST_F(DirectoryCheckpointStoreTest, RemovesAllThatIsItsOwnWithItsDirectory) {
  DirectoryCheckpointStore store = store_in("job");
  EXPECT_FALSE(*store.has_checkpoints());
  EXPECT_TRUE(store.remove_all());
  ASSERT_TRUE(store.put(checkpoint(1), "f", "f"));
  ASSERT_TRUE(store.write_metadata(checkpoint(1), "m"));
  ASSERT_TRUE(store.put(checkpoint(9), "g", "g"));
  directory_.file("job/shared/.writing-9-1-x", "x");
  EXPECT_TRUE(*store.has_checkpoints());
  ASSERT_TRUE(store.remove_all());
  EXPECT_FALSE(*store.has_checkpoints());
  EXPECT_FALSE(std::filesystem::exists(directory_.path("job")));
}

TEST_F(DirectoryCheckpointStoreTest, RemovesNothingOfOthersWithAll) {
  ASSERT_TRUE(store_.write_metadata(checkpoint(1), "m"));
  ASSERT_TRUE(store_.write_metadata(checkpoint(2), "m"));
  ASSERT_TRUE(store_.put(checkpoint(2), "f", "f"));
  directory_.file("savepoint-1/_metadata", "x");
  directory_.file("chk-2-1/notes.txt", "x");
  ASSERT_TRUE(store_.remove_all());
  EXPECT_THAT(directory_.names(), ElementsAre("chk-2-1", "savepoint-1"));
  EXPECT_THAT(directory_.names("chk-2-1"), ElementsAre("notes.txt"));
}

TEST_F(DirectoryCheckpointStoreTest, SaysThatItsDirectoryIsAFile) {
  directory_.file("file", "x");
  DirectoryCheckpointStore store = store_in("file");
  const Error put = store.put(checkpoint(1), "f", "f").error();
  EXPECT_EQ(put.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(put.message(), HasSubstr(directory_.path("file/shared") + "': Not a directory"));
  EXPECT_THAT(store.write_metadata(checkpoint(1), "m").error().message(),
              HasSubstr("Not a directory"));
  EXPECT_THAT(store.read_metadata(checkpoint(1)).error().message(), HasSubstr("Not a directory"));
  EXPECT_THAT(store.remove_unused(checkpoint(1), {}, {}).error().message(),
              HasSubstr("Not a directory"));
}

TEST_F(DirectoryCheckpointStoreTest, IsNotMadeByReading) {
  DirectoryCheckpointStore store = store_in("none");
  EXPECT_EQ(store.read_metadata(checkpoint(1)).error(),
            not_found(concat("there is no checkpoint chk-1-1 in '", directory_.path("none"),
                             "': it has no file _metadata; give the path of another one")));
  EXPECT_TRUE(store.remove_unused(checkpoint(1), {}, {}));
  EXPECT_FALSE(std::filesystem::exists(directory_.path("none")));
}

TEST_F(DirectoryCheckpointStoreTest, FailsOnceItsDirectoryWasDeleted) {
  const Result<StoredFile> file = store_.put(checkpoint(1), "f", "f");
  ASSERT_TRUE(file);
  std::filesystem::remove_all(directory_.path("shared"));
  EXPECT_EQ(store_.put(checkpoint(2), "f", "f").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_.fetch(*file).error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace millrace::detail
