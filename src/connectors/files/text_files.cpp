#include "millrace/connectors/files/text_files.h"

namespace millrace::detail {

ReadStep TextReader::refill(std::string_view& line) {
  do {
    Result<bool> more = lines_.refill();
    if (!more) {
      failed_ = more.error();
      return ReadStep::kFailed;
    }
    if (!*more) return ReadStep::kEnd;
  } while (!lines_.next(line));
  return ReadStep::kRecord;
}

}  // namespace millrace::detail

namespace millrace {

template class FilesSource<std::string, detail::TextReader>;

}  // namespace millrace
