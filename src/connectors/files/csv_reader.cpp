#include "millrace/connectors/files/csv_reader.h"

#include <algorithm>

#include "millrace/connectors/files/line_reader.h"
#include "millrace/connectors/files/value_text.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

CsvSyntax syntax_of(const CsvReaderOptions& options) {
  return {.delimiter = options.delimiter,
          .quote = options.quote,
          .newlines_in_quotes = !options.splittable};
}

}  // namespace

CsvReader::CsvReader(const Type& type, Options options)
    : options_(std::move(options)),
      type_(type, options_.renames),
      columns_(csv_columns(type_.type())),
      parser_(syntax_of(options_)) {}

CsvReader::~CsvReader() = default;

Status CsvReader::open(const FileSplit& split) {
  Status status = read_header(split.path);
  if (!status) return status;
  const bool resumed = split.position > split.begin;
  end_ = split.end;
  place_.open(split, resumed ? split.line : split.begin == 0 ? header_lines_ : 0);
  return open_at_record(split, first_, window_);
}

// Leaves the window behind the header, if there is one, and a byte order mark.
Status CsvReader::read_header(const std::string& path) {
  end_ = kEndOfFile;
  header_lines_ = 0;
  header_.clear();
  Status status = window_.open(path, 0);
  if (status) status = window_.refill();
  if (!status) return status;
  if (window_.bytes().starts_with(kByteOrderMark)) window_.skip(kByteOrderMark.size());
  first_ = window_.position();
  fields_per_record_ = columns_.size();
  if (!options_.header) return bind(path);

  switch (parse()) {
    case CsvStep::kMore:
      return failed_;
    case CsvStep::kEnd:
      return {};  // an empty file needs no header
    case CsvStep::kBad:
      return invalid_argument(concat(path, ":1: the header cannot be read: ", parser_.error()));
    case CsvStep::kRecord:
      break;
  }
  for (const CsvField& field : parser_.fields()) {
    header_.emplace_back(parser_.unescaped(field, buffer_));
  }
  header_lines_ = static_cast<std::int64_t>(parser_.lines());
  fields_per_record_ = header_.size();
  window_.skip(parser_.used());
  first_ = window_.position();
  return bind(path);
}

Status CsvReader::bind(const std::string& path) {
  bindings_.clear();
  unbound_.clear();
  if (options_.header) return bind_by_name(path);
  for (std::size_t i = 0; i < columns_.size(); ++i) bindings_.push_back({i, columns_[i]});
  return {};
}

Status CsvReader::bind_by_name(const std::string& path) {
  for (const CsvColumn& column : columns_) {
    Result<std::size_t> position = find_column(path, column);
    if (!position) return position.error();
    if (*position < header_.size()) {
      bindings_.push_back({*position, column});
    } else {
      unbound_.push_back(column);
    }
  }
  return {};
}

// The number of columns where an optional member has none.
Result<std::size_t> CsvReader::find_column(const std::string& path, const CsvColumn& column) const {
  const auto found = std::ranges::find(header_, column.name);
  if (found == header_.end() && column.optional == nullptr) {
    return invalid_argument(concat(path, ":1: there is no column ", in_quotes(column.name),
                                   "; the header has ", join(header_),
                                   "; name another one by csv({.renames = {{", "\"column\", \"",
                                   column.name, "\"}}}), say csv({.header = false}) if the first ",
                                   "line is a record, or make the member a std::optional"));
  }
  if (found != header_.end() && std::find(found + 1, header_.end(), *found) != header_.end()) {
    return invalid_argument(concat(path, ":1: the header has two columns ", in_quotes(*found),
                                   "; rename one of them in the file"));
  }
  return static_cast<std::size_t>(found - header_.begin());
}

ReadStep CsvReader::next(void* record) {
  while (window_.position() < end_) {
    switch (parse()) {
      case CsvStep::kRecord:
        break;
      case CsvStep::kEnd:
        return ReadStep::kEnd;
      case CsvStep::kMore:
        return ReadStep::kFailed;
      case CsvStep::kBad:
        return refuse({}, parser_.error(), parser_.error_offset());
    }
    if (parser_.text().empty() && fields_per_record_ != 1) {
      skip();
      continue;
    }
    return decode(record);
  }
  return ReadStep::kEnd;
}

// The next record of the window, which is refilled as needed; kMore if that failed.
CsvStep CsvReader::parse() {
  while (true) {
    const CsvStep step = parser_.parse(window_.bytes(), window_.ended());
    if (step != CsvStep::kMore) return step;
    const std::string_view bytes = window_.bytes();
    if (bytes.size() >= kLongestRecord && bytes.find('\n') != std::string_view::npos) {
      return parser_.give_up(
          bytes, concat("a quoted field is not closed within ", kLongestRecord >> 20, " MiB"));
    }
    failed_ = window_.refill();
    if (!failed_) return CsvStep::kMore;
  }
}

ReadStep CsvReader::decode(void* record) {
  const std::vector<CsvField>& fields = parser_.fields();
  if (fields.size() != fields_per_record_) return refuse_count();
  for (const Binding& binding : bindings_) {
    const CsvField& field = fields[binding.position];
    const CsvColumn& column = binding.column;
    void* value = static_cast<char*>(record) + column.offset;
    const std::string_view text = parser_.unescaped(field, buffer_);
    if (column.optional != nullptr) {
      if (!field.quoted && text == options_.null_text) {
        column.optional->reset(value);
        continue;
      }
      value = column.optional->emplace(value);
    }
    if (!parse_value(*column.type, text, value)) {
      return refuse(column.name,
                    concat(in_quotes(text), " is no ", to_string(column.type->kind), "; expected ",
                           expected_text(*column.type)),
                    field.offset);
    }
  }
  for (const CsvColumn& column : unbound_) {
    column.optional->reset(static_cast<char*>(record) + column.offset);
  }
  skip();
  return ReadStep::kRecord;
}

ReadStep CsvReader::refuse_count() {
  return refuse(
      {},
      concat("expected ", fields_per_record_, fields_per_record_ == 1 ? " field" : " fields",
             options_.header ? ", as in the header" : ", one for each member", ", found ",
             parser_.fields().size()),
      0);
}

ReadStep CsvReader::refuse(std::string_view field, std::string error, std::size_t offset) {
  bad_ = place_.bad_record(window_.position(), parser_.text(), offset);
  bad_.field = field;
  bad_.error = std::move(error);
  skip();
  return ReadStep::kBad;
}

void CsvReader::skip() {
  place_.pass(parser_.lines());
  window_.skip(parser_.used());
}

}  // namespace millrace::detail
