// Reads the lines of a file split: without \n or \r\n, the last one also where it does not end in a
// newline, and the first one without a byte order mark. A line belongs to the split in which it
// begins.
//
//   while (reader.next(line) == ReadStep::kRecord) use(line);
#pragma once

#include <cstring>
#include <string_view>

#include "millrace/connectors/files/file_list.h"
#include "millrace/connectors/files/file_window.h"
#include "millrace/connectors/files/read_step.h"

namespace millrace::detail {

class LineReader {
 public:
  // Begins where the split says.
  Status open(const FileSplit& split);

  // The next line, which stays where it is until the next call of any method; never kBad.
  ReadStep next(std::string_view& line) { return take(line) ? ReadStep::kRecord : refill(line); }

  // After kFailed.
  const Error& error() const { return failed_.error(); }

  // Of the next line, for FileSplit.
  std::int64_t position() const { return window_.position(); }
  std::int64_t line() const { return lines_; }

 private:
  Status skip_byte_order_mark();
  // False where the window has to be refilled.
  bool take(std::string_view& line) {
    const char* const begin = window_.begin();
    if (window_.position() >= end_) return false;
    const std::size_t size = window_.bytes().size();
    const void* newline = std::memchr(begin + searched_, '\n', size - searched_);
    if (newline == nullptr) [[unlikely]]
      return take_last(line);
    const auto length = static_cast<std::size_t>(static_cast<const char*>(newline) - begin);
    cut(line, begin, length, length + 1);
    return true;
  }
  bool take_last(std::string_view& line);
  ReadStep refill(std::string_view& line);
  void cut(std::string_view& line, const char* begin, std::size_t length, std::size_t used) {
    line = {begin, length > 0 && begin[length - 1] == '\r' ? length - 1 : length};
    window_.skip(used);
    searched_ = 0;
    ++lines_;
  }

  FileWindow window_;
  std::int64_t end_ = 0;
  std::int64_t lines_ = 0;
  std::size_t searched_ = 0;  // bytes of the window that hold no newline
  Status failed_;
};

// Opens the window where the split's next record begins: a range that starts in the middle of a
// line leaves that line to the range before. `first` is the earliest byte that counts, as behind a
// header.
Status open_at_record(const FileSplit& split, std::int64_t first, FileWindow& window);

}  // namespace millrace::detail
