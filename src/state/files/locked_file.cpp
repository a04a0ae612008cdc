#include "millrace/state/files/locked_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace millrace::detail {
namespace {

constexpr mode_t kReadableByAll = 0644;

// 0, or the number of the error.
int lock(int file, WhenLocked when_locked) {
  const int operation = when_locked == WhenLocked::kWait ? LOCK_EX : LOCK_EX | LOCK_NB;
  while (::flock(file, operation) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

int LockedFile::take(const std::filesystem::path& path, WhenLocked when_locked) {
  release();
  path_ = path;
  while (true) {
    do {
      file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kReadableByAll);
    } while (file_ < 0 && errno == EINTR);
    if (file_ < 0) return errno;
    const int error = lock(file_, when_locked);
    if (error == 0 && is_named()) return 0;
    release();
    if (error != 0) return error;
  }
}

void LockedFile::release() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
}

void LockedFile::remove_and_release() {
  if (file_ >= 0 && is_named()) ::unlink(path_.c_str());
  release();
}

bool LockedFile::is_named() const {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file_, &opened) == 0 && ::stat(path_.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace millrace::detail
