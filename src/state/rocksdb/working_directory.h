// A local directory for what lives no longer than this process. It is locked while this object
// lives, so that two processes never share it, and whatever a former process left is removed when
// it is opened. Only folders that end with ".scratch" are ever removed: a directory that was named
// by mistake loses nothing.
//
// Any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "millrace/core/result.h"
#include "millrace/state/files/locked_file.h"

namespace millrace::detail {

// A folder that is removed, with all that it holds, when this object goes.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make(const std::filesystem::path& path);

  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&& other) = delete;
  ~ScratchFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;  // empty when moved from
};

class WorkingDirectory {
 public:
  // Makes the directory if there is none.
  static Result<std::unique_ptr<WorkingDirectory>> open(const std::filesystem::path& path);

  WorkingDirectory(const WorkingDirectory&) = delete;
  WorkingDirectory& operator=(const WorkingDirectory&) = delete;

  // Its name begins like `name`, and is never used twice.
  Result<ScratchFolder> make_folder(std::string_view name);

 private:
  WorkingDirectory(std::filesystem::path path, LockedFile lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  const std::filesystem::path path_;
  const LockedFile lock_;
};

}  // namespace millrace::detail
