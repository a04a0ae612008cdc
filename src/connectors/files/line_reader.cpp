#include "millrace/connectors/files/line_reader.h"

#include <algorithm>

namespace millrace::detail {
namespace {

// Behind the first newline at or after the window's begin.
Status skip_line(FileWindow& window) {
  while (true) {
    const std::string_view bytes = window.bytes();
    const std::size_t newline = bytes.find('\n');
    if (newline != std::string_view::npos) {
      window.skip(newline + 1);
      return {};
    }
    window.skip(bytes.size());
    if (window.ended()) return {};
    Status status = window.refill();
    if (!status) return status;
  }
}

}  // namespace

Status open_at_record(const FileSplit& split, std::int64_t first, FileWindow& window) {
  if (split.position > split.begin) {
    return window.open(split.path, std::max(split.position, first));
  }
  if (split.begin <= first) return window.open(split.path, first);
  Status opened = window.open(split.path, split.begin - 1);
  return opened ? skip_line(window) : opened;
}

Status LineReader::open(const FileSplit& split) {
  end_ = split.end;
  lines_ = split.line;
  searched_ = 0;
  Status opened = open_at_record(split, 0, window_);
  return opened && window_.position() == 0 ? skip_byte_order_mark() : opened;
}

// The line behind the mark is the one that begins at byte 0, and so this split's.
Status LineReader::skip_byte_order_mark() {
  while (window_.bytes().size() < kByteOrderMark.size() && !window_.ended()) {
    Status status = window_.refill();
    if (!status) return status;
  }
  if (!window_.bytes().starts_with(kByteOrderMark)) return {};
  window_.skip(kByteOrderMark.size());
  end_ = std::max(end_, window_.position() + 1);
  return {};
}

bool LineReader::take_last(std::string_view& line) {
  searched_ = window_.bytes().size();
  if (!window_.ended() || searched_ == 0) return false;
  cut(line, window_.begin(), searched_, searched_);
  return true;
}

ReadStep LineReader::refill(std::string_view& line) {
  while (window_.position() < end_ && !window_.ended()) {
    failed_ = window_.refill();
    if (!failed_) return ReadStep::kFailed;
    if (take(line)) return ReadStep::kRecord;
  }
  return ReadStep::kEnd;
}

}  // namespace millrace::detail
