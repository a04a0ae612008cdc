#include "millrace/state/rocksdb/rocksdb_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/status.h>

namespace millrace::detail {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

ErrorCode code_of(const rocksdb::Status& status) { return to_error(status, "test").code(); }

TEST(RocksDbError, OkIsNoError) { EXPECT_TRUE(to_status(rocksdb::Status::OK(), "test")); }

TEST(RocksDbError, TheCodeSaysHowToReact) {
  using S = rocksdb::Status;
  EXPECT_EQ(code_of(S::NoSpace()), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of(S::MemoryLimit()), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of(S::IOError("open", "Too many open files")), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of(S::IOError("read", "Input/output error")), ErrorCode::kUnavailable);
  EXPECT_EQ(code_of(S::PathNotFound()), ErrorCode::kCorruption);
  EXPECT_EQ(code_of(S::Corruption()), ErrorCode::kCorruption);
  EXPECT_EQ(code_of(S::Busy()), ErrorCode::kUnavailable);
  EXPECT_EQ(code_of(S::ShutdownInProgress()), ErrorCode::kCancelled);
  EXPECT_EQ(code_of(S::InvalidArgument()), ErrorCode::kInternal);
  EXPECT_EQ(code_of(S::NotSupported()), ErrorCode::kInternal);
}

TEST(RocksDbError, TheMessageSaysWhatWhereAndHowToMendIt) {
  const Error error = to_error(rocksdb::Status::NoSpace("/data/1.sst", "No space left on device"),
                               "cannot write rows");
  EXPECT_THAT(error.message(), AllOf(StartsWith("cannot write rows: "), HasSubstr("/data/1.sst"),
                                     HasSubstr("free space on that disk")));
}

}  // namespace
}  // namespace millrace::detail
