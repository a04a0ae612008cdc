// Reads a file through a buffer that a record never straddles: the window shows the bytes that are
// read and not yet skipped, and refill() adds more behind them, growing the buffer where a record
// is longer. One thread at a time. Reading a regular file counts as not blocking.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/core/result.h"

namespace millrace::detail {

// May stand before the text of a file, and is none of it.
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr std::size_t kLongestRecord = 64 << 20;  // in bytes, of one line or CSV record in a file

class FileWindow {
 public:
  FileWindow() = default;
  FileWindow(const FileWindow&) = delete;
  FileWindow& operator=(const FileWindow&) = delete;
  ~FileWindow() { close(); }

  Status open(const std::string& path, std::int64_t position);
  void close();

  std::string_view bytes() const { return {begin_, static_cast<std::size_t>(end_ - begin_)}; }
  const char* begin() const { return begin_; }
  void skip(std::size_t count) { begin_ += count; }

  // Where in the file the window begins.
  std::int64_t position() const { return offset_ + (begin_ - buffer_.get()); }

  // Reads more. At the end of the file nothing is added, and ended() says so from then on.
  Status refill();
  bool ended() const { return ended_; }

 private:
  Status make_room();

  std::string path_;
  int file_ = -1;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  char* begin_ = nullptr;    // in the buffer, as far as it was skipped ...
  char* end_ = nullptr;      // ... and as far as it was read
  std::int64_t offset_ = 0;  // in the file, of the buffer
  bool ended_ = false;
};

// How many newlines the file's first `bytes` hold: to name a line in a message.
std::int64_t count_lines(const std::string& path, std::int64_t bytes);

}  // namespace millrace::detail
