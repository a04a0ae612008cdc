#include "millrace/state/rocksdb/working_directory.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <system_error>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLockFile = "lock";
constexpr std::string_view kEnding = ".scratch";
constexpr std::size_t kLongestName = 100;

Error unusable(const fs::path& path, int error) {
  const ErrorCode code = error == ENOSPC || error == EDQUOT ? ErrorCode::kResourceExhausted
                                                            : ErrorCode::kInvalidArgument;
  return {code, concat("cannot use ", in_quotes(path.native()),
                       " as the directory of local state: ", std::generic_category().message(error),
                       "; expected a directory on a local disk with free space that this process "
                       "may write to: mend it, or name another")};
}

Error in_use(const fs::path& path) {
  return unavailable(concat("the directory of local state ", in_quotes(path.native()),
                            " is in use by another process or job; each needs one of its own: name "
                            "another, or wait until that one has ended"));
}

Status remove_leftovers(const fs::path& path) {
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == kEnding) fs::remove_all(entry->path(), error);
    if (error) break;
  }
  return error ? Status(unusable(path, error.value())) : Status();
}

// Whatever the name holds, it is one plain folder's.
std::string plain(std::string_view name) {
  std::string text(name.substr(0, kLongestName));
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  std::ranges::replace_if(text, std::not_fn(is_plain), '_');
  return text;
}

}  // namespace

Result<ScratchFolder> ScratchFolder::make(const fs::path& path) {
  std::error_code error;
  fs::create_directory(path, error);
  if (error) return unusable(path, error.value());
  return ScratchFolder(path);
}

ScratchFolder::~ScratchFolder() {
  if (path_.empty()) return;
  std::error_code ignored;  // what is left goes when the working directory is opened again
  fs::remove_all(path_, ignored);
}

Result<std::unique_ptr<WorkingDirectory>> WorkingDirectory::open(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return unusable(path, error.value());
  LockedFile lock;
  const int refused = lock.take(path / kLockFile, WhenLocked::kFail);
  if (refused != 0) return refused == EWOULDBLOCK ? in_use(path) : unusable(path, refused);
  std::unique_ptr<WorkingDirectory> directory(new WorkingDirectory(path, std::move(lock)));
  const Status removed = remove_leftovers(path);
  if (!removed) return removed.error();
  return directory;
}

// Nor by another object for the same directory: a database that is being closed may outlive its own
// for a moment, and two of one name cannot be open in a process.
Result<ScratchFolder> WorkingDirectory::make_folder(std::string_view name) {
  static std::atomic<std::uint64_t> folders = 0;
  return ScratchFolder::make(path_ / concat(plain(name), '-', ++folders, kEnding));
}

}  // namespace millrace::detail
