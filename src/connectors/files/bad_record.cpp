#include "millrace/connectors/files/bad_record.h"

#include <cstdio>

#include "millrace/core/text.h"

namespace millrace::detail {

std::string to_string(const BadRecord& bad) {
  const std::string place = concat(bad.file, ':', bad.line, ':', bad.column, ": ");
  return bad.field.empty() ? place + bad.error
                           : concat(place, "field ", in_quotes(bad.field), ": ", bad.error);
}

Error BadRecordCount::failure(const BadRecord& bad, std::string_view format) {
  return invalid_argument(
      concat(to_string(bad), "; the record is ", in_quotes(bad.text),
             "; mend the file, or go on without such records by ", format,
             "({.on_error = OnError::kSkipAndCount}), or keep them by OnError::kSideOutput"));
}

void BadRecordCount::add(const BadRecord& bad) {
  if (++count_ == 1) first_ = to_string(bad);
}

void BadRecordCount::report(std::string_view source) const {
  if (count_ == 0) return;
  const std::string line =
      concat("source ", in_quotes(source), " left out ", count_,
             count_ == 1 ? " bad record: " : " bad records, the first: ", first_, '\n');
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace millrace::detail
