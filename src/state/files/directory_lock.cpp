#include "millrace/state/files/directory_lock.h"

#include "millrace/core/text.h"

namespace millrace::detail {

Result<DirectoryLock> DirectoryLock::take(FileSystem& files,
                                          const std::filesystem::path& directory) {
  Status made = files.make_directories(directory);
  if (!made) return made.error();
  Result<std::unique_ptr<FileLock>> lock = files.lock(directory / ".lock", WhenLocked::kFail);
  if (!lock) return lock.error();
  if (*lock == nullptr) {
    return invalid_argument(concat("the directory '", directory.native(),
                                   "' is in use by another process: does the job run already? Stop "
                                   "it, or give this one another directory"));
  }
  return DirectoryLock(std::move(*lock));
}

}  // namespace millrace::detail
