#include "millrace/connectors/console/print.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "millrace/core/json/json.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kBuffer = 64 << 10;

// A write of that many bytes is not torn apart by others, which only pipes do with larger ones.
std::size_t longest_whole_write(int file) {
  struct stat status {};
  return fstat(file, &status) == 0 && S_ISFIFO(status.st_mode) ? PIPE_BUF : kBuffer;
}

Error cannot_print() {
  if (errno == EPIPE) {
    return unavailable(
        "cannot print: the reader of standard output is gone; redirect it to a file");
  }
  return unavailable(concat("cannot print to standard output: ", std::strerror(errno)));
}

Status wait_until_writable(int file) {
  pollfd poll_file{.fd = file, .events = POLLOUT, .revents = 0};
  if (poll(&poll_file, 1, -1) < 0 && errno != EINTR) return cannot_print();
  return {};
}

}  // namespace

void LinePrinter::open(std::string prefix) {
  prefix_ = std::move(prefix);
  longest_write_ = longest_whole_write(file_);
}

Status LinePrinter::print(const Type& type, Rows rows) {
  append_json_lines(lines_, type, rows, prefix_);
  return lines_.size() < kBuffer ? Status() : flush();
}

Status LinePrinter::flush() {
  if (lines_.empty()) return {};
  Status written = write_lines(lines_);
  lines_.clear();
  return written;
}

// In pieces of whole lines that are as large as may be, and in one write each.
Status LinePrinter::write_lines(std::string_view lines) {
  while (!lines.empty()) {
    std::size_t length = lines.size();
    if (length > longest_write_) {
      const std::size_t last = lines.rfind('\n', longest_write_ - 1);
      length = (last == std::string_view::npos ? lines.find('\n') : last) + 1;
    }
    Status written = write_all(lines.substr(0, length));
    if (!written) return written;
    lines.remove_prefix(length);
  }
  return {};
}

Status LinePrinter::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      Status ready = wait_until_writable(file_);
      if (!ready) return ready;
    } else if (errno != EINTR) {
      return cannot_print();
    }
  }
  return {};
}

}  // namespace millrace::detail
