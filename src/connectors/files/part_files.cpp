#include "millrace/connectors/files/part_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBuffer = 256 << 10;
constexpr mode_t kReadableByAll = 0644;

Error cannot(std::string_view what, std::string_view path, int error) {
  return unavailable(concat("cannot ", what, " ", in_quotes(path), ": ", std::strerror(error),
                            "; check the path, its permissions and the free space"));
}

Error taken(std::string_view path) {
  return invalid_argument(
      concat(in_quotes(path),
             " is there already: the directory holds results of another job, sink or "
             "run, and nothing is overwritten; give an empty directory, or remove them"));
}

Error in_use(std::string_view directory) {
  return invalid_argument(
      concat("another sink or job writes to the directory ", in_quotes(directory),
             " at this time; two sinks need two directories: give another one, or wait until that "
             "job has ended"));
}

// The directory's entries, new ones among them, outlive a crash of the machine.
Status sync_directory(const fs::path& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return cannot("open the directory", path.native(), errno);
  const int result = fsync(directory);
  const int error = errno;
  ::close(directory);
  return result == 0 ? Status() : Status(cannot("make durable", path.native(), error));
}

// With the directories above it.
Status make_durable_directory(const fs::path& path) {
  std::error_code ignored;
  if (path.empty() || fs::is_directory(path, ignored)) return {};
  Status made = make_durable_directory(path.parent_path());
  if (!made) return made;
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) {
    return cannot("make the directory", path.native(), errno);
  }
  return sync_directory(path.has_parent_path() ? path.parent_path() : ".");
}

// Fails with EEXIST where the name is taken. Not all file systems can do that in one step.
int rename_without_replacing(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (access(to.c_str(), F_OK) == 0) return EEXIST;
  return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

bool is_missing(const std::string& path) {
  return access(path.c_str(), F_OK) != 0 && errno == ENOENT;
}

bool is_own_leftover(std::string_view name, std::uint32_t subtask) {
  return name.starts_with(concat(".part-", subtask, "-")) &&
         (name.ends_with(".writing") || name.ends_with(".staged"));
}

}  // namespace

PartFiles::PartFiles(std::string directory, std::unique_ptr<RowWriter> rows)
    : directory_(std::move(directory)), rows_(std::move(rows)) {}

Status PartFiles::open(std::uint32_t subtask) {
  subtask_ = subtask;
  if (directory_.empty()) {
    return invalid_argument("the path of the output directory is empty; give one");
  }
  Status status = rows_->check();
  if (status) status = make_directory();
  if (status) status = lock();
  return status;
}

Status PartFiles::make_directory() {
  std::error_code error;
  if (fs::exists(directory_, error) && !fs::is_directory(directory_, error)) {
    return invalid_argument(concat(in_quotes(directory_),
                                   " is a file, but the sink writes a directory of part files; "
                                   "give the path of a directory"));
  }
  Status made = make_durable_directory(directory_);
  if (!made) return made;
  if (access(directory_.c_str(), W_OK | X_OK) != 0) {
    return cannot("write into the directory", directory_, errno);
  }
  return {};
}

Status PartFiles::lock() {
  writing_path_ = concat(directory_, "/.part-", subtask_, "-", getpid(), ".writing");
  const std::string path = concat(directory_, "/.part-", subtask_, ".lock");
  const int error = lock_.take(path, WhenLocked::kFail);
  if (error == EWOULDBLOCK) return in_use(directory_);
  return error == 0 ? Status() : Status(cannot("lock", path, error));
}

void PartFiles::close() {
  discard();
  lock_.remove_and_release();
}

Status PartFiles::begin(bool fresh) {
  std::error_code error;
  fs::directory_iterator entry(directory_, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().native();
    if (fresh && name.starts_with("part-")) return taken(entry->path().native());
    if (is_own_leftover(name, subtask_)) fs::remove(entry->path(), error);
    if (error) return cannot("remove", entry->path().native(), error.value());
  }
  return error ? Status(cannot("list the directory", directory_, error.value())) : Status();
}

Status PartFiles::create() {
  file_ = ::open(writing_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kReadableByAll);
  if (file_ < 0) return cannot("create", writing_path_, errno);
  buffer_.clear();
  rows_->begin_file(buffer_);
  return {};
}

Status PartFiles::write(const void* first, std::size_t stride, std::size_t count) {
  if (count == 0) return {};
  Status status;
  if (file_ < 0) status = create();
  if (status) status = rows_->append(first, stride, count, buffer_);
  if (status && buffer_.size() >= kBuffer) status = drain();
  return status;
}

Status PartFiles::drain() {
  for (std::string_view rest = buffer_; !rest.empty();) {
    const ssize_t written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot("write", writing_path_, errno);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
  return {};
}

// A failed fsync may have dropped what was written: the file is given up, and the job fails.
Result<bool> PartFiles::stage(const Transaction& transaction) {
  if (file_ < 0) return false;
  Status drained = drain();
  if (!drained) return drained.error();
  if (fsync(file_) != 0) {
    const int error = errno;
    discard();
    return cannot("make durable", writing_path_, error);
  }
  ::close(file_);
  file_ = -1;
  if (std::rename(writing_path_.c_str(), staged_path(transaction).c_str()) != 0) {
    return cannot("rename", writing_path_, errno);
  }
  Status synced = sync_directory(directory_);
  if (!synced) return synced.error();
  return true;
}

Status PartFiles::publish(const Transaction& transaction) {
  const std::string staged = staged_path(transaction);
  const std::string shown = shown_path(transaction);
  if (access(staged.c_str(), F_OK) != 0) {
    const int error = errno;
    const bool is_shown = access(shown.c_str(), F_OK) == 0;
    return is_shown ? sync_directory(directory_) : Status(cannot("show", staged, error));
  }
  const int error = rename_without_replacing(staged, shown);
  if (error == EEXIST) return taken(shown);
  return error == 0 ? sync_directory(directory_) : Status(cannot("show", staged, error));
}

bool PartFiles::is_gone(const Transaction& transaction) const {
  return is_missing(staged_path(transaction)) && is_missing(shown_path(transaction));
}

void PartFiles::discard() {
  if (file_ < 0) return;
  ::close(file_);
  file_ = -1;
  unlink(writing_path_.c_str());
}

std::string PartFiles::staged_path(const Transaction& transaction) const {
  return concat(directory_, "/.part-", transaction.subtask, "-", transaction.checkpoint, ".staged");
}

std::string PartFiles::shown_path(const Transaction& transaction) const {
  return concat(directory_, "/part-", transaction.subtask, "-", transaction.checkpoint,
                rows_->extension());
}

}  // namespace millrace::detail
