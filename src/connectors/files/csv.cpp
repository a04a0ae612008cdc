#include "millrace/connectors/files/csv.h"

#include "millrace/connectors/files/value_text.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

CsvColumn column_of(std::string_view name, std::size_t offset, const Type& type) {
  if (type.kind != Kind::kOptional) return {.name = name, .offset = offset, .type = &type};
  return {.name = name, .offset = offset, .type = &type.element(), .optional = type.optional};
}

// It is written and read as it is, without quotes.
Status check_null_text(const CsvOptions& options) {
  const std::string_view special{"\n\r"};
  for (const char c : options.null_text) {
    if (c != options.delimiter && c != options.quote && special.find(c) == special.npos) continue;
    return invalid_argument(concat("csv() has .null_text = ", in_quotes(options.null_text),
                                   ", which holds ", in_quotes({&c, 1}),
                                   "; give a text without delimiter, quote and line ends"));
  }
  return {};
}

Status check_characters(const CsvOptions& options) {
  const auto ends_line = [](char c) { return c == '\n' || c == '\r'; };
  if (options.delimiter != options.quote && !ends_line(options.delimiter) &&
      !ends_line(options.quote)) {
    return check_null_text(options);
  }
  return invalid_argument(
      "csv() takes a delimiter and a quote that are two different characters and no line ends");
}

}  // namespace

std::vector<CsvColumn> csv_columns(const Type& type) {
  if (type.kind != Kind::kRecord) return {column_of("value", 0, type)};
  std::vector<CsvColumn> columns;
  for (const Field& field : type.fields) {
    columns.push_back(column_of(field.name, field.offset, field.type()));
  }
  return columns;
}

Status check_csv(const RenamedType& renamed, const CsvOptions& options) {
  Status checked = renamed.check();
  if (checked) checked = check_characters(options);
  if (!checked) return checked;
  const Type& type = renamed.type();
  const std::vector<CsvColumn> columns = csv_columns(type);
  if (columns.empty()) return unsupported(concat("CSV cannot hold ", type.name, ": no fields"));
  for (const CsvColumn& column : columns) {
    if (is_single_value(*column.type)) continue;
    return unsupported(concat("CSV cannot hold the field ", in_quotes(column.name), " of ",
                              type.name.empty() ? to_string(type.kind) : type.name, ", which is a ",
                              to_string(column.type->kind),
                              "; use json_lines(), or a record of single values"));
  }
  return {};
}

}  // namespace millrace::detail
