#include "millrace/state/rocksdb/rocksdb_error.h"

#include <rocksdb/status.h>

#include <string>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using Code = rocksdb::Status::Code;

// RocksDB has no code for it, only the system's words.
bool is_out_of_files(const std::string& text) {
  return text.find("Too many open files") != std::string::npos;
}

struct Meaning {
  ErrorCode code;
  std::string_view mend;
};

Meaning meaning_of(const rocksdb::Status& status, const std::string& text) {
  if (status.IsNoSpace()) {
    return {ErrorCode::kResourceExhausted,
            "free space on that disk, or name a directory on a larger one"};
  }
  if (status.IsPathNotFound()) {
    return {ErrorCode::kCorruption, "a file of the database is missing: go on from a checkpoint"};
  }
  if (status.IsMemoryLimit()) return {ErrorCode::kResourceExhausted, "grant it more memory"};
  if (is_out_of_files(text)) {
    return {ErrorCode::kResourceExhausted, "raise the limit of open files (ulimit -n)"};
  }
  switch (status.code()) {
    case Code::kCorruption:
      return {ErrorCode::kCorruption, "go on from a checkpoint"};
    case Code::kIOError:
      return {ErrorCode::kUnavailable, "check the disk and the directory's permissions"};
    case Code::kBusy:
    case Code::kTimedOut:
    case Code::kTryAgain:
    case Code::kAborted:
    case Code::kIncomplete:
      return {ErrorCode::kUnavailable, "try again"};
    case Code::kShutdownInProgress:
      return {ErrorCode::kCancelled, "it is being closed"};
    default:
      return {ErrorCode::kInternal, "please report this"};
  }
}

}  // namespace

Error to_error(const rocksdb::Status& status, std::string_view doing) {
  const std::string text = status.ToString();
  const Meaning meaning = meaning_of(status, text);
  return {meaning.code, concat(doing, ": ", text, "; ", meaning.mend)};
}

Status to_status(const rocksdb::Status& status, std::string_view doing) {
  return status.ok() ? Status() : Status(to_error(status, doing));
}

}  // namespace millrace::detail
