#include "faults/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>

namespace millrace::faults {

namespace fs = std::filesystem;

std::unique_ptr<SmallDisk> SmallDisk::mount(const fs::path& folder, std::uint64_t bytes) {
  fs::create_directories(folder);
  const std::string size = "size=" + std::to_string(bytes);
  const bool mounted = unshare(CLONE_NEWNS) == 0 &&
                       ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       ::mount("none", folder.c_str(), "tmpfs", 0, size.c_str()) == 0;
  return mounted ? std::unique_ptr<SmallDisk>(new SmallDisk(folder)) : nullptr;
}

SmallDisk::~SmallDisk() { umount2(folder_.c_str(), MNT_DETACH); }

void SmallDisk::fill() {
  const int file = open(ballast().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) throw std::runtime_error("cannot fill the disk");
  const std::string page(4'096, 'x');
  while (write(file, page.data(), page.size()) > 0) {
  }
  const bool full = errno == ENOSPC;
  close(file);
  if (!full) throw std::runtime_error("the disk cannot be filled");
}

void SmallDisk::empty() { fs::remove(ballast()); }

void SmallDisk::make_read_only() {
  if (::mount("none", folder_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
    throw std::runtime_error("the disk cannot be made read-only");
  }
}

}  // namespace millrace::faults
