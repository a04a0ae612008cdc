#include "millrace/connectors/files/file_window.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kBuffer = 256 << 10;  // stays in the second-level cache while it is parsed

Error cannot_read(const std::string& path) {
  return unavailable(concat("cannot read ", in_quotes(path), ": ", std::strerror(errno),
                            "; check the path and its permissions"));
}

Error changed(const std::string& path, std::int64_t position, std::int64_t size) {
  return corruption(concat(in_quotes(path), " has ", size, " bytes, but it was read up to byte ",
                           position, " before: files must not change while a job reads them"));
}

Error too_long(const std::string& path, std::int64_t position) {
  return resource_exhausted(concat(in_quotes(path), " holds a record of more than ",
                                   kLongestRecord >> 20, " MiB, which begins at byte ", position,
                                   "; is this a text file with line ends?"));
}

}  // namespace

Status FileWindow::open(const std::string& path, std::int64_t position) {
  close();
  path_ = path;
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) return cannot_read(path_);
  struct stat status {};
  if (fstat(file_, &status) != 0) return cannot_read(path_);
  if (position > status.st_size) return changed(path_, position, status.st_size);
  if (lseek(file_, position, SEEK_SET) < 0) return cannot_read(path_);
  posix_fadvise(file_, position, 0, POSIX_FADV_SEQUENTIAL);
  if (!buffer_) {
    buffer_ = std::make_unique_for_overwrite<char[]>(kBuffer);
    capacity_ = kBuffer;
  }
  begin_ = end_ = buffer_.get();
  offset_ = position;
  ended_ = false;
  return {};
}

void FileWindow::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

Status FileWindow::make_room() {
  const std::size_t kept = bytes().size();
  std::unique_ptr<char[]> larger;
  if (kept == capacity_) {
    if (capacity_ >= kLongestRecord) return too_long(path_, position());
    larger = std::make_unique_for_overwrite<char[]>(2 * capacity_);
  }
  std::memmove(larger ? larger.get() : buffer_.get(), begin_, kept);
  offset_ = position();
  if (larger) {
    buffer_ = std::move(larger);
    capacity_ *= 2;
  }
  begin_ = buffer_.get();
  end_ = begin_ + kept;
  return {};
}

Status FileWindow::refill() {
  Status room = make_room();
  if (!room) return room;
  const auto free = static_cast<std::size_t>(buffer_.get() + capacity_ - end_);
  ssize_t count = 0;
  do {
    count = ::read(file_, end_, free);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return cannot_read(path_);
  end_ += count;
  ended_ = count == 0;
  return {};
}

std::int64_t count_lines(const std::string& path, std::int64_t bytes) {
  FileWindow window;
  std::int64_t lines = 0;
  Status status = window.open(path, 0);
  while (status && !window.ended() && window.position() < bytes) {
    status = window.refill();
    const std::string_view text = window.bytes().substr(
        0, static_cast<std::size_t>(std::max<std::int64_t>(bytes - window.position(), 0)));
    lines += std::count(text.begin(), text.end(), '\n');
    window.skip(window.bytes().size());
  }
  return lines;
}

}  // namespace millrace::detail
