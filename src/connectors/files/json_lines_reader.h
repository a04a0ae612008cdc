// Reads lines of JSON of a file split into values of any type: a Reader for FileSource.
#pragma once

#include <string_view>

#include "millrace/connectors/files/file_source.h"
#include "millrace/connectors/files/json_lines.h"
#include "millrace/connectors/files/line_reader.h"
#include "millrace/connectors/files/record_place.h"
#include "millrace/core/json/json.h"

namespace millrace::detail {

struct JsonLinesReaderOptions : JsonOptions {
  bool splittable = false;
};

class JsonLinesReader {
 public:
  using Options = JsonLinesReaderOptions;
  static constexpr std::string_view kFormat = "json_lines";

  JsonLinesReader(const Type& type, const Options& options);
  ~JsonLinesReader();  // out of line, so that jobs compile in no time

  Status check() const { return type_.check(); }
  Status open(const FileSplit& split);
  ReadStep next(void* record);

  const BadRecord& bad() const { return bad_; }
  const Error& error() const { return lines_.error(); }
  std::int64_t position() const { return lines_.position(); }
  std::int64_t line() const { return lines_.line(); }

 private:
  ReadStep refuse(std::string_view line, std::int64_t position);

  RenamedType type_;
  LineReader lines_;
  JsonReader json_;
  RecordPlace place_;
  BadRecord bad_;
};

}  // namespace millrace::detail
