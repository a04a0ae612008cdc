// json_lines(): one JSON value on each line, for files<T>(path, json_lines()) as a source and
// files(path, json_lines()) as a sink. Keys go by name: a key without a member is ignored, a member
// without a key is an error unless it is a std::optional. Empty lines are no records.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/connectors/files/bad_record.h"
#include "millrace/connectors/files/renamed_type.h"
#include "millrace/connectors/files/row_writer.h"

namespace millrace {

struct JsonOptions {
  OnError on_error = OnError::kFail;
  std::vector<Rename> renames;  // key -> member, of the outermost record
};

}  // namespace millrace

namespace millrace::detail {

struct JsonLinesFormat {
  JsonOptions options;
};

std::unique_ptr<RowWriter> make_json_lines_writer(const Type& type, const JsonOptions& options);

}  // namespace millrace::detail

namespace millrace {

inline detail::JsonLinesFormat json_lines(JsonOptions options = {}) { return {std::move(options)}; }

}  // namespace millrace
