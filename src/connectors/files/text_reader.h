// Reads each line of a file as a record of its own, for FileSource.
#pragma once

#include <string>

#include "millrace/connectors/files/file_source.h"
#include "millrace/connectors/files/line_reader.h"

namespace millrace::detail {

struct TextOptions {
  OnError on_error = OnError::kFail;  // no line is a bad record
  bool splittable = false;
};

class TextReader {
 public:
  using Options = TextOptions;
  static constexpr std::string_view kFormat = "text_files";

  TextReader(const Type&, const Options&) {}

  Status check() const { return {}; }
  Status open(const FileSplit& split) { return lines_.open(split); }

  ReadStep next(void* record) {
    std::string_view line;
    const ReadStep step = lines_.next(line);
    if (step == ReadStep::kRecord) static_cast<std::string*>(record)->assign(line);
    return step;
  }

  const BadRecord& bad() const { return bad_; }
  const Error& error() const { return lines_.error(); }
  std::int64_t position() const { return lines_.position(); }
  std::int64_t line() const { return lines_.line(); }

 private:
  LineReader lines_;
  BadRecord bad_;
};

}  // namespace millrace::detail
