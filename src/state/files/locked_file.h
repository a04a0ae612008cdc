// A file that one object at a time holds locked (flock), in this process or any other on the
// machine. It is free again when the object goes or the process ends, however that ends.
//
// Who holds the file may remove it: a lock on a file that has lost its name keeps nobody out, so
// who gets one takes the file that has the name by then. Any thread.
#pragma once

#include <filesystem>
#include <utility>

#include "millrace/state/files/file_system.h"

namespace millrace::detail {

class LockedFile {
 public:
  LockedFile() = default;  // holds none
  LockedFile(LockedFile&& other) noexcept
      : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
  LockedFile& operator=(LockedFile&&) = delete;
  ~LockedFile() { release(); }

  // Makes the file if there is none. 0, or the number of an error; EWOULDBLOCK if somebody else
  // holds it and shall not be waited for.
  int take(const std::filesystem::path& path, WhenLocked when_locked);

  // Do nothing if none is held.
  void release();
  void remove_and_release();

 private:
  bool is_named() const;

  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace millrace::detail
