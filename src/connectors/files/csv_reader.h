// Reads CSV records of a file split into values of any record type: a Reader for FileSource.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/connectors/files/csv.h"
#include "millrace/connectors/files/csv_parser.h"
#include "millrace/connectors/files/file_source.h"
#include "millrace/connectors/files/file_window.h"
#include "millrace/connectors/files/record_place.h"

namespace millrace::detail {

struct CsvReaderOptions : CsvOptions {
  bool splittable = false;
};

class CsvReader {
 public:
  using Options = CsvReaderOptions;
  static constexpr std::string_view kFormat = "csv";

  CsvReader(const Type& type, Options options);
  ~CsvReader();  // out of line, so that jobs compile in no time

  Status check() const { return check_csv(type_, options_); }
  Status open(const FileSplit& split);
  ReadStep next(void* record);

  const BadRecord& bad() const { return bad_; }
  const Error& error() const { return failed_.error(); }
  std::int64_t position() const { return window_.position(); }
  std::int64_t line() const { return place_.lines(); }

 private:
  struct Binding {
    std::size_t position;  // of the column in the file
    CsvColumn column;
  };

  Status read_header(const std::string& path);
  Status bind(const std::string& path);
  Status bind_by_name(const std::string& path);
  Result<std::size_t> find_column(const std::string& path, const CsvColumn& column) const;

  CsvStep parse();
  ReadStep decode(void* record);
  ReadStep refuse(std::string_view field, std::string error, std::size_t offset);
  ReadStep refuse_count();
  void skip();

  const CsvReaderOptions options_;
  const RenamedType type_;
  const std::vector<CsvColumn> columns_;
  CsvParser parser_;
  FileWindow window_;
  std::int64_t end_ = 0;

  std::vector<std::string> header_;  // of the open file
  std::size_t fields_per_record_ = 0;
  std::int64_t first_ = 0;  // where the records of the file begin
  std::int64_t header_lines_ = 0;
  std::vector<Binding> bindings_;
  std::vector<CsvColumn> unbound_;  // optionals without a column

  RecordPlace place_;
  std::string buffer_;
  BadRecord bad_;
  Status failed_;
};

}  // namespace millrace::detail
