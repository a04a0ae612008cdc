#include "millrace/connectors/files/record_place.h"

#include <algorithm>

#include "millrace/connectors/files/file_window.h"

namespace millrace::detail {

void RecordPlace::open(const FileSplit& split, std::int64_t lines) {
  path_ = split.path;
  lines_ = lines;
  lines_before_.reset();
  if (split.begin == 0) lines_before_ = 0;
}

BadRecord RecordPlace::bad_record(std::int64_t position, std::string_view text,
                                  std::size_t offset) {
  if (!lines_before_) lines_before_ = count_lines(path_, position) - lines_;
  const std::string_view before = text.substr(0, offset);
  const auto newlines = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_begin = before.rfind('\n') + 1;  // 0 if there is none
  return {.file = path_,
          .line = *lines_before_ + lines_ + newlines + 1,
          .column = static_cast<std::int64_t>(before.size() - line_begin) + 1,
          .field = {},
          .error = {},
          .text = std::string(text)};
}

}  // namespace millrace::detail
