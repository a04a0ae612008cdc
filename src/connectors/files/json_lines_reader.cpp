#include "millrace/connectors/files/json_lines_reader.h"

#include <charconv>

namespace millrace::detail {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Takes `begin`, a word and `end` off the front of the text, and returns the word; or nothing.
std::string_view take_between(std::string_view& text, std::string_view begin,
                              std::string_view end) {
  const std::size_t found = text.starts_with(begin) ? text.find(end) : std::string_view::npos;
  if (found == std::string_view::npos) return {};
  const std::string_view word = text.substr(begin.size(), found - begin.size());
  text.remove_prefix(found + end.size());
  return word;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

}  // namespace

JsonLinesReader::JsonLinesReader(const Type& type, const Options& options)
    : type_(type, options.renames) {}

JsonLinesReader::~JsonLinesReader() = default;

Status JsonLinesReader::open(const FileSplit& split) {
  Status status = lines_.open(split);
  place_.open(split, lines_.line());
  return status;
}

ReadStep JsonLinesReader::take_line(std::string_view& line) {
  while (!lines_.next(line)) {
    Result<bool> more = lines_.refill();
    if (!more) {
      failed_ = more.error();
      return ReadStep::kFailed;
    }
    if (!*more) return ReadStep::kEnd;
  }
  return ReadStep::kRecord;
}

ReadStep JsonLinesReader::next(void* record) {
  while (true) {
    const std::int64_t position = lines_.position();
    std::string_view line;
    const ReadStep step = take_line(line);
    if (step != ReadStep::kRecord) return step;
    if (position == 0 && line.starts_with(kByteOrderMark)) {
      line.remove_prefix(kByteOrderMark.size());
    }
    if (is_blank(line)) continue;
    Status read = json_.read(type_.type(), line, record);
    return read ? ReadStep::kRecord : refuse(line, position, read.error());
  }
}

// A JsonReader's message begins with "column 7: field 'cents': ", as far as these are known.
ReadStep JsonLinesReader::refuse(std::string_view line, std::int64_t position, const Error& error) {
  std::string_view message = error.message();
  const std::string_view column = take_between(message, "column ", ": ");
  place_.set_lines(lines_.line() - 1);
  bad_ = place_.bad_record(position, line, 0);
  std::from_chars(column.data(), column.data() + column.size(), bad_.column);
  bad_.field = take_between(message, "field '", "': ");
  bad_.error = message;
  return ReadStep::kBad;
}

}  // namespace millrace::detail
