#include "millrace/connectors/files/json_lines_reader.h"

namespace millrace::detail {
namespace {

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

ReadStep JsonLinesReader::next(void* record) {
  while (true) {
    const std::int64_t position = lines_.position();
    std::string_view line;
    const ReadStep step = lines_.next(line);
    if (step != ReadStep::kRecord) return step;
    if (is_blank(line)) continue;
    const bool read = json_.read(type_.type(), line, record).has_value();
    return read ? ReadStep::kRecord : refuse(line, position);
  }
}

ReadStep JsonLinesReader::refuse(std::string_view line, std::int64_t position) {
  const JsonProblem& problem = json_.problem();
  place_.set_lines(lines_.line() - 1);
  bad_ = place_.bad_record(position, line, problem.column > 0 ? problem.column - 1 : 0);
  bad_.field = problem.field;
  bad_.error = problem.what;
  return ReadStep::kBad;
}

}  // namespace millrace::detail
