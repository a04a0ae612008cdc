#include "millrace/state/savepoint/savepoint_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "millrace/state/files/real_file_system.h"
#include "millrace/state/memory_store.h"
#include "millrace/state/savepoint/rows_export.h"
#include "millrace/state/savepoint/rows_scan.h"
#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr CheckpointName kName{CheckpointId(3), 1};

std::string key_of(std::size_t i) {
  std::string number = std::to_string(i);
  return std::string(6, '\0') + std::string(8 - number.size(), '0') + number;
}

class SavepointFolderTest : public testing::Test {
 protected:
  std::vector<RowsFile> write(std::size_t rows, std::size_t value_bytes) {
    MemoryStateStore::Rows all;
    for (std::size_t i = 0; i < rows; ++i) all[key_of(i)] = std::string(value_bytes, 'v');
    MemoryStateStore store(std::move(all));
    auto folder = SavepointFolder::create(files_, path());
    EXPECT_TRUE(folder) << folder.error().message();
    folder_ = *std::move(folder);
    RowsExport rows_export(store.scan("", ""), 128, kName,
                           {.store = folder_, .operator_id = 0xabc, .subtask = 2});
    for (Result<bool> more = true; *more;) {
      more = rows_export.step();
      EXPECT_TRUE(more) << more.error().message();
    }
    return rows_export.take_files();
  }
  std::filesystem::path path() const { return directory_.path("savepoint"); }

  test::TemporaryDirectory directory_;
  RealFileSystem files_;
  std::shared_ptr<SavepointFolder> folder_;
};

TEST_F(SavepointFolderTest, IsMadeOnlyWhereNothingIs) {
  ASSERT_TRUE(SavepointFolder::create(files_, path()));
  ASSERT_TRUE(SavepointFolder::create(files_, path())) << "an empty one is well";
  ASSERT_TRUE(files_.write_file(path() / "mine", "x"));
  const auto refused = SavepointFolder::create(files_, path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("is not empty: it holds 'mine'"));
}

TEST_F(SavepointFolderTest, IsNotMadeUnderAFile) {
  ASSERT_TRUE(files_.write_file(path(), "x"));
  const auto refused = SavepointFolder::create(files_, path() / "below");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("making the savepoint's folder"));
}

TEST_F(SavepointFolderTest, HoldsRowsInFilesThatAreReadOneByOne) {
  const std::vector<RowsFile> rows = write(20'000, 1'000);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].file.path, "rows-0000000000000abc-2-1");
  EXPECT_EQ(rows[0].rows + rows[1].rows + rows[2].rows, 20'000U);
  const auto scan = scan_rows_of(rows, *folder_, "", "");
  std::size_t found = 0;
  while (scan->next()) EXPECT_EQ(scan->key(), key_of(found++));
  ASSERT_TRUE(scan->status()) << scan->status().error().message();
  EXPECT_EQ(found, 20'000U);
}

TEST_F(SavepointFolderTest, ReadsARangeWithoutTheFilesAroundIt) {
  const std::vector<RowsFile> rows = write(20'000, 1'000);
  ASSERT_TRUE(files_.remove(path() / rows[0].file.path));
  ASSERT_TRUE(files_.remove(path() / rows[2].file.path));
  const auto scan = scan_rows_of(rows, *folder_, key_of(10'000), key_of(10'002));
  ASSERT_TRUE(scan->next());
  EXPECT_EQ(scan->key(), key_of(10'000));
  ASSERT_TRUE(scan->next());
  EXPECT_FALSE(scan->next());
  EXPECT_TRUE(scan->status());
}

TEST_F(SavepointFolderTest, SaysWhichFileIsMissingOrTruncatedAndWhere) {
  const std::vector<RowsFile> rows = write(10, 10);
  const StoredFile& file = rows.front().file;
  const std::string bytes = *read_file(files_, path() / file.path);
  ASSERT_TRUE(files_.remove(path() / file.path));
  EXPECT_THAT(folder_->fetch(file).error().message(),
              HasSubstr("'rows-0000000000000abc-2-0') is missing"));
  ASSERT_TRUE(files_.write_file(path() / file.path, bytes.substr(0, 100)));
  EXPECT_THAT(folder_->fetch(file).error().message(), HasSubstr("is truncated at byte 100 of"));
}

TEST_F(SavepointFolderTest, RefusesEachByteFlippedAndNamesFileAndBytes) {
  const std::vector<RowsFile> rows = write(4, 10);
  const StoredFile& file = rows.front().file;
  const std::string good = *read_file(files_, path() / file.path);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x10);
    ASSERT_TRUE(files_.remove(path() / file.path));
    ASSERT_TRUE(files_.write_file(path() / file.path, bytes));
    const Result<std::string> fetched = folder_->fetch(file);
    ASSERT_FALSE(fetched) << i;
    EXPECT_THAT(fetched.error().message(), HasSubstr("rows-0000000000000abc-2-0"));
    EXPECT_THAT(fetched.error().message(), HasSubstr("bytes"));
  }
}

TEST_F(SavepointFolderTest, RefusesAFileThatWasSwappedForAnotherThatIsWell) {
  const std::vector<RowsFile> rows = write(20'000, 1'000);
  ASSERT_TRUE(files_.remove(path() / rows[0].file.path));
  ASSERT_TRUE(files_.copy(path() / rows[1].file.path, path() / rows[0].file.path));
  EXPECT_EQ(folder_->fetch(rows[0].file).error().code(), ErrorCode::kCorruption);
}

TEST_F(SavepointFolderTest, OpensNoPathButItsOwn) {
  (void)write(1, 1);
  const StoredFile elsewhere{.name = "x", .path = "../secret"};
  EXPECT_THAT(folder_->fetch(elsewhere).error().message(), HasSubstr("no savepoint gives"));
}

TEST_F(SavepointFolderTest, IsCompleteOnceItsMetadataIsThere) {
  (void)write(1, 1);
  EXPECT_EQ(folder_->read_metadata(kName).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(folder_->write_metadata(kName, "metadata"));
  EXPECT_EQ(*folder_->read_metadata(kName), "metadata");
  EXPECT_THAT(*files_.list(path()), ElementsAre("_metadata", "rows-0000000000000abc-2-0"));
}

TEST_F(SavepointFolderTest, IsDiscardedWithNothingOfOthers) {
  (void)write(1, 1);
  ASSERT_TRUE(folder_->remove_unused({}, {}, {}));
  EXPECT_THAT(*files_.list(directory_.path()), IsEmpty());
  (void)write(1, 1);
  ASSERT_TRUE(files_.write_file(path() / "mine", "x"));
  (void)folder_->remove_unused({}, {}, {});
  EXPECT_THAT(*files_.list(path()), ElementsAre("mine"));
}

}  // namespace
}  // namespace millrace::detail
