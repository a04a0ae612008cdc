// The disk, as checkpoints and metadata use it: few calls, each of which can be made to fail in a
// test. Nothing here is durable by itself: the content of a file is once write_file() or
// link_or_copy() returned, its name once its directory was synced after that.
//
// A failed fsync may have dropped what was written, and the next one succeeds nevertheless. So it
// is never repeated: the file is discarded, and whoever wants it writes it anew.
//
// Calls block, and may come from any thread. Error codes: kNotFound, kResourceExhausted (the disk
// is full, too many files are open), kUnavailable for the rest.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/result.h"

namespace millrace::detail {

// Held until it is destroyed, or the process ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class WhenLocked { kWait, kFail };

class FileSystem {
 public:
  using Path = std::filesystem::path;
  using UseChunk = std::function<Status(std::string_view chunk)>;

  virtual ~FileSystem() = default;

  // Makes a new file of durable content. After a failure there is none, as far as possible.
  virtual Status write_file(const Path& path, std::string_view bytes) = 0;

  // A second name for a file that does not change any more, or a copy where there can be none: of
  // durable content either way. kCorruption says that the disk failed to keep the file itself,
  // which must then be written anew.
  virtual Status link_or_copy(const Path& from, const Path& to) = 0;

  // Makes a new file, not durable.
  virtual Status copy(const Path& from, const Path& to) = 0;

  // Calls use(chunk) for the content's pieces in order, until the end or an error, which it passes
  // on.
  virtual Status read(const Path& path, const UseChunk& use) = 0;

  // Replaces `to`, in one step. `from` is gone afterwards.
  virtual Status rename(const Path& from, const Path& to) = 0;

  // Removes a file or an empty directory. None is well.
  virtual Status remove(const Path& path) = 0;

  virtual Result<std::vector<std::string>> list(const Path& directory) = 0;  // sorted

  // With those above it, all durable.
  virtual Status make_directories(const Path& path) = 0;
  virtual Status sync_directory(const Path& path) = 0;

  // Makes the file and locks it, against this process too; null if it is locked and shall not be
  // waited for. The file stays.
  virtual Result<std::unique_ptr<FileLock>> lock(const Path& path, WhenLocked when_locked) = 0;

  // Part of a file's name that no other call gives, in any process.
  virtual std::string unique_name() = 0;
};

// "cannot <what> '<path>': <the system's words>; <what to do>"
Error file_error(std::string_view what, const std::filesystem::path& path, int error);

// All of a file.
Result<std::string> read_file(FileSystem& files, const std::filesystem::path& path);

}  // namespace millrace::detail
