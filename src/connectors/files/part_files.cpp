#include "millrace/connectors/files/part_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBuffer = 256 << 10;

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
  Status checked = rows_->check();
  if (!checked) return checked;
  std::error_code error;
  if (fs::exists(directory_, error) && !fs::is_directory(directory_, error)) {
    return invalid_argument(concat(in_quotes(directory_),
                                   " is a file, but the sink writes a directory of part files; "
                                   "give the path of a directory"));
  }
  fs::create_directories(directory_, error);
  if (error) return cannot("make the directory", directory_, error.value());
  if (access(directory_.c_str(), W_OK | X_OK) != 0) {
    return cannot("write into the directory", directory_, errno);
  }
  writing_path_ = concat(directory_, "/.part-", subtask_, "-", getpid(), ".writing");
  return {};
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
  constexpr mode_t kReadableByAll = 0644;
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
  Status synced = sync_directory();
  if (!synced) return synced.error();
  return true;
}

Status PartFiles::publish(const Transaction& transaction) {
  const std::string staged = staged_path(transaction);
  const std::string shown = shown_path(transaction);
  const bool is_shown = access(shown.c_str(), F_OK) == 0;
  if (access(staged.c_str(), F_OK) != 0) {
    return is_shown ? Status() : Status(cannot("show", staged, errno));
  }
  if (is_shown) return taken(shown);
  if (std::rename(staged.c_str(), shown.c_str()) != 0) return cannot("show", staged, errno);
  return sync_directory();
}

Status PartFiles::sync_directory() {
  const int directory = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return cannot("open the directory", directory_, errno);
  const int result = fsync(directory);
  const int error = errno;
  ::close(directory);
  return result == 0 ? Status() : Status(cannot("make durable", directory_, error));
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
