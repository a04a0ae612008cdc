// Held by the one process that owns a directory, such as a job's checkpoints. It is free again when
// the process ends, however it ends.
#pragma once

#include <filesystem>
#include <memory>

#include "millrace/state/files/file_system.h"

namespace millrace::detail {

class DirectoryLock {
 public:
  // Makes the directory if there is none. kInvalidArgument if somebody else holds it.
  static Result<DirectoryLock> take(FileSystem& files, const std::filesystem::path& directory);

 private:
  explicit DirectoryLock(std::unique_ptr<FileLock> lock) : lock_(std::move(lock)) {}

  std::unique_ptr<FileLock> lock_;
};

}  // namespace millrace::detail
