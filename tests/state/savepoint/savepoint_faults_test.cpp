// Every call that a savepoint's folder makes to the disk fails once, and the power is cut at each.
#include <gtest/gtest.h>

#include <cerrno>

#include "millrace/core/random.h"
#include "millrace/state/savepoint/savepoint_folder.h"
#include "support/fault_file_system.h"
#include "support/memory_file_system.h"

namespace millrace::detail {
namespace {

using test::FaultFileSystem;
using test::MemoryFileSystem;

constexpr CheckpointName kName{CheckpointId(1), 1};

Status save(FileSystem& files) {
  Result<std::unique_ptr<SavepointFolder>> folder = SavepointFolder::create(files, "/save");
  if (!folder) return folder.error();
  Result<StoredFile> rows = (*folder)->put(kName, rows_name(7, 0, 0), "rows");
  return rows ? (*folder)->write_metadata(kName, "metadata") : Status(rows.error());
}

bool is_there(MemoryFileSystem& disk) {
  SavepointFolder folder(disk, "/save");
  const Result<std::string> metadata = folder.read_metadata(kName);
  if (!metadata) return false;
  EXPECT_EQ(*metadata, "metadata");
  EXPECT_EQ(*folder.fetch({.name = "rows",
                           .path = rows_name(7, 0, 0),
                           .bytes = 4,
                           .checksum = checksum_of("rows")}),
            "rows");
  return true;
}

TEST(SavepointFaults, AnswerWithTheErrorAndLeaveNoSavepointThatIsNotWhole) {
  for (const int error : {ENOSPC, EROFS, EIO}) {
    for (std::size_t call = 1;; ++call) {
      MemoryFileSystem disk;
      FaultFileSystem files(disk);
      files.fail(call, error);
      const Status saved = save(files);
      if (!files.failed()) {
        EXPECT_TRUE(saved);
        EXPECT_TRUE(is_there(disk));
        EXPECT_GT(call, 6U);
        break;
      }
      if (!saved) {
        EXPECT_EQ(saved.error().code(),
                  error == ENOSPC ? ErrorCode::kResourceExhausted : ErrorCode::kUnavailable);
      }
      (void)is_there(disk);
    }
  }
}

TEST(SavepointFaults, APowerCutLeavesAWholeSavepointOrNone) {
  for (std::size_t call = 1;; ++call) {
    MemoryFileSystem disk;
    FaultFileSystem files(disk);
    files.cut_power(call);
    const Status saved = save(files);
    if (!files.failed()) break;
    Random random(call);
    disk.cut_power(random);
    if (is_there(disk)) continue;
    EXPECT_FALSE(saved) << "call " << call;
  }
}

}  // namespace
}  // namespace millrace::detail
