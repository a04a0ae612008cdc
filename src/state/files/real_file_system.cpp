#include "millrace/state/files/real_file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <random>
#include <system_error>
#include <utility>

#include "millrace/core/text.h"
#include "millrace/state/files/locked_file.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kChunk = 256 << 10;
constexpr mode_t kReadableByAll = 0644;
constexpr int kNewFile = O_WRONLY | O_CREAT | O_EXCL;

// The call's result; it is repeated as long as signals interrupt it.
template <class Call>
auto uninterrupted(Call call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

class OpenFile {
 public:
  OpenFile(const std::filesystem::path& path, int flags)
      : descriptor_(uninterrupted(
            [&] { return ::open(path.c_str(), flags | O_CLOEXEC, kReadableByAll); })) {}
  OpenFile(OpenFile&&) = delete;
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

  // What was written late may fail as late as here. A close is not repeated.
  int close() { return ::close(std::exchange(descriptor_, -1)) == 0 || errno == EINTR ? 0 : errno; }

 private:
  int descriptor_;
};

class HeldLock final : public FileLock {
 public:
  explicit HeldLock(LockedFile file) : file_(std::move(file)) {}

 private:
  LockedFile file_;
};

int write_all(const OpenFile& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        uninterrupted([&] { return ::write(file.get(), bytes.data(), bytes.size()); });
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int sync(const OpenFile& file) {
  return uninterrupted([&] { return ::fsync(file.get()); }) == 0 ? 0 : errno;
}

bool cannot_link(int error) {
  return error == EXDEV || error == EPERM || error == EMLINK || error == EOPNOTSUPP ||
         error == ENOSYS;
}

// The file is new, and goes again if it cannot be finished.
Status discard(const std::filesystem::path& path, Error error) {
  ::unlink(path.c_str());
  return error;
}

Status copy_into(RealFileSystem& files, const std::filesystem::path& from,
                 const std::filesystem::path& to, bool durable) {
  OpenFile copy(to, kNewFile);
  if (!copy) return file_error("create", to, errno);
  Status status = files.read(from, [&](std::string_view chunk) {
    const int error = write_all(copy, chunk);
    return error == 0 ? Status() : Status(file_error("write", to, error));
  });
  if (!status) return discard(to, status.error());
  if (const int error = durable ? sync(copy) : 0; error != 0) {
    return discard(to, file_error("make durable", to, error));
  }
  if (const int error = copy.close(); error != 0)
    return discard(to, file_error("write", to, error));
  return {};
}

}  // namespace

RealFileSystem::RealFileSystem()
    : token_([] {
        std::random_device random;
        return std::uint64_t{random()} << 32 | random();
      }()) {}

Status RealFileSystem::write_file(const Path& path, std::string_view bytes) {
  OpenFile file(path, kNewFile);
  if (!file) return file_error("create", path, errno);
  if (const int error = write_all(file, bytes); error != 0) {
    return discard(path, file_error("write", path, error));
  }
  if (const int error = sync(file); error != 0) {
    return discard(path, file_error("make durable", path, error));
  }
  if (const int error = file.close(); error != 0) {
    return discard(path, file_error("write", path, error));
  }
  return {};
}

Status RealFileSystem::link_or_copy(const Path& from, const Path& to) {
  if (::link(from.c_str(), to.c_str()) != 0) {
    const int error = errno;
    return cannot_link(error) ? copy_into(*this, from, to, true)
                              : Status(file_error("link or copy", from, error));
  }
  const OpenFile file(to, O_RDONLY);
  if (!file) return discard(to, file_error("open", to, errno));
  if (const int error = sync(file); error != 0) {
    const Error failure = file_error("make durable", from, error);
    return discard(to, corruption(failure.message() + "; part of it may be lost"));
  }
  return {};
}

Status RealFileSystem::copy(const Path& from, const Path& to) {
  return copy_into(*this, from, to, false);
}

Status RealFileSystem::read(const Path& path, const UseChunk& use) {
  const OpenFile file(path, O_RDONLY);
  if (!file) return file_error("open", path, errno);
  std::string chunk(kChunk, '\0');
  while (true) {
    const ssize_t size =
        uninterrupted([&] { return ::read(file.get(), chunk.data(), chunk.size()); });
    if (size < 0) return file_error("read", path, errno);
    if (size == 0) return {};
    Status used = use(std::string_view(chunk).substr(0, static_cast<std::size_t>(size)));
    if (!used) return used;
  }
}

// rename() does nothing, and says that it did, where both are names of one file.
Status RealFileSystem::rename(const Path& from, const Path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return file_error("rename", from, errno);
  return remove(from);
}

Status RealFileSystem::remove(const Path& path) {
  if (std::remove(path.c_str()) == 0 || errno == ENOENT) return {};
  return file_error("remove", path, errno);
}

Result<std::vector<std::string>> RealFileSystem::list(const Path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().native());
  }
  if (error) return file_error("list the directory", directory, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

// An earlier process may have ended between making a directory and syncing the one above. So all
// above are synced; those that were there may refuse it, being somebody else's.
Status RealFileSystem::make_directories(const Path& path) {
  std::error_code error;
  const Path whole = std::filesystem::absolute(path, error);
  if (error) return file_error("find the directory", path, error.value());
  Path directory;
  for (const Path& part : whole) {
    const Path above = std::exchange(directory, directory / part);
    if (above.empty() || part.empty()) continue;
    const bool made = ::mkdir(directory.c_str(), 0777) == 0;
    if (!made && errno != EEXIST) return file_error("make the directory", directory, errno);
    Status synced = sync_directory(above);
    if (!synced && made) return synced;
  }
  const OpenFile opened(whole, O_RDONLY | O_DIRECTORY);
  return opened ? Status() : Status(file_error("open the directory", path, errno));
}

Status RealFileSystem::sync_directory(const Path& path) {
  const OpenFile directory(path, O_RDONLY | O_DIRECTORY);
  if (!directory) return file_error("open the directory", path, errno);
  const int error = sync(directory);
  return error == 0 ? Status() : Status(file_error("make durable the directory", path, error));
}

Result<std::unique_ptr<FileLock>> RealFileSystem::lock(const Path& path, WhenLocked when_locked) {
  LockedFile file;
  const int error = file.take(path, when_locked);
  if (error == EWOULDBLOCK) return std::unique_ptr<FileLock>();
  if (error != 0) return file_error("lock", path, error);
  return std::unique_ptr<FileLock>(std::make_unique<HeldLock>(std::move(file)));
}

std::string RealFileSystem::unique_name() { return concat(token_, "-", names_++); }

}  // namespace millrace::detail
