// csv(): records as comma-separated values (RFC 4180), for files<T>(path, csv()) as a source and
// files(path, csv()) as a sink. The members of the record must be single values or optionals of
// them. With a header, columns go by name: a column without a member is ignored, a member without a
// column is an error unless it is a std::optional. Without one, columns are the members in order.
// An empty field that is not in quotes is an absent optional. Empty lines are no records, unless
// there is only one column.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "millrace/connectors/files/bad_record.h"
#include "millrace/connectors/files/renamed_type.h"
#include "millrace/connectors/files/row_writer.h"

namespace millrace {

struct CsvOptions {
  OnError on_error = OnError::kFail;
  char delimiter = ',';
  char quote = '"';
  bool header = true;
  std::vector<Rename> renames;  // column -> member
  std::string null_text;        // an absent optional, when it is not in quotes
};

}  // namespace millrace

namespace millrace::detail {

struct CsvFormat {
  CsvOptions options;
};

std::unique_ptr<RowWriter> make_csv_writer(const Type& type, const CsvOptions& options);

// What is wrong with the options for records of this type.
Status check_csv(const RenamedType& type, const CsvOptions& options);

struct CsvColumn {
  std::string_view name;
  std::size_t offset = 0;                        // in the record
  const Type* type = nullptr;                    // of the value, also within an optional
  const OptionalOperations* optional = nullptr;  // if the member is one
};

// The members of a record; a type that is no record is a single column called "value".
std::vector<CsvColumn> csv_columns(const Type& type);

}  // namespace millrace::detail

namespace millrace {

inline detail::CsvFormat csv(CsvOptions options = {}) { return {std::move(options)}; }

}  // namespace millrace
