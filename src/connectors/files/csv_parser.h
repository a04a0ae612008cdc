// Cuts CSV into records and fields, as RFC 4180 says: fields in quotes may hold delimiters,
// newlines and doubled quotes; lines end with \n or \r\n. Nothing is copied: fields point into the
// bytes.
//
// Stricter than many: a quote within an unquoted field, and text behind a closing quote, are
// errors. After an error the first line of the record counts as the bad record, so that a stray
// quote costs one line and not the rest of the file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::detail {

struct CsvSyntax {
  char delimiter = ',';
  char quote = '"';
  bool newlines_in_quotes = true;
};

struct CsvField {
  std::string_view text;   // without the outer quotes
  std::size_t offset = 0;  // in the record, of the field with its quotes
  bool quoted = false;
  bool doubled = false;  // the text holds doubled quotes, each of which stands for one
};

enum class CsvStep {
  kRecord,
  kMore,  // the bytes end within a record: try again with more of them
  kEnd,   // no bytes
  kBad,
};

class CsvParser {
 public:
  explicit CsvParser(CsvSyntax syntax) : syntax_(syntax) {}

  // Reads one record at the begin of the bytes; `all` says that no more will come.
  CsvStep parse(std::string_view bytes, bool all);
  // Gives up on the record that the bytes begin with, where more would be needed.
  CsvStep give_up(std::string_view bytes, std::string error);

  // After kRecord, until the next call.
  const std::vector<CsvField>& fields() const { return fields_; }

  // After kRecord or kBad: the record's bytes with the line end, without it, and how many lines
  // these are.
  std::size_t used() const { return used_; }
  std::string_view text() const { return text_; }
  std::size_t lines() const { return lines_; }

  // After kBad.
  const std::string& error() const { return error_; }
  std::size_t error_offset() const { return error_offset_; }

  // The field's text, with doubled quotes made single in the buffer.
  std::string_view unescaped(const CsvField& field, std::string& buffer) const;

 private:
  void split(std::string_view line);
  CsvStep parse_quoted(std::string_view bytes, bool all);
  CsvStep take_field(std::string_view bytes, bool all, std::size_t& at);
  CsvStep take_quoted(std::string_view bytes, bool all, std::size_t& at);
  CsvStep take_plain(std::string_view bytes, bool all, std::size_t& at);
  CsvStep bad(std::string_view bytes, std::string error, std::size_t offset);
  void end_record(std::string_view bytes, std::size_t end, std::size_t used);

  CsvSyntax syntax_;
  std::vector<CsvField> fields_;
  std::string_view text_;
  std::size_t used_ = 0;
  std::size_t lines_ = 0;
  std::string error_;
  std::size_t error_offset_ = 0;
};

}  // namespace millrace::detail
