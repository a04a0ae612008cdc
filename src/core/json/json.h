// Records as JSON text, by their field tables.
//
//   record -> object       tuple, list, array -> array      empty optional -> null
//   enum -> its name, or its number if it has none          timestamp -> ISO-8601 in UTC
//   duration -> its count: integer milliseconds for std::chrono::milliseconds
//   map -> object if its keys are strings, else array of [key, value]
//   variant -> object with the alternative's name as its only key: {"Deposit": {...}}
//
// An optional in an optional is null whichever is empty.
// Numbers that JSON cannot hold (infinite, NaN) are printed as null, and so is what nests deeper
// than 256 levels. Text is passed on as it is, which makes it JSON if it is UTF-8.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/core/codec/codec.h"
#include "millrace/core/records/record.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Appends one line without spaces. Floating-point numbers are the shortest that read back the same.
void append_json(std::string& out, const Type& type, const void* value);

template <class T>
void append_json(std::string& out, const T& value) {
  append_json(out, type_of<T>(), &value);
}

// The same for each row, with the prefix before it and a line end behind it.
void append_json_lines(std::string& out, const Type& type, Rows rows, std::string_view prefix = {});

struct JsonReaderOptions {
  std::map<std::string, std::string> renames;  // of the outermost record: key in the text -> field
};

// What is wrong with a text, in parts.
struct JsonProblem {
  std::size_t column = 0;  // from 1, in bytes; 0 if it is not known
  std::string field;       // its path; empty if the text as a whole is at fault
  std::string what;        // was expected and found
};

// Reads values from JSON text; keeps its buffers between values, so it has one user at a time.
//
// Unknown keys are ignored, if their values are JSON. A missing key of a field that is no optional
// is an error, as is a number out of range and a value of another type. Timestamps are also read
// from integer milliseconds, enums also from numbers. An error says the byte's column, the field's
// path, and what was expected and found.
class JsonReader {
 public:
  explicit JsonReader(JsonReaderOptions options = {});
  JsonReader(JsonReader&&) noexcept;
  JsonReader& operator=(JsonReader&&) noexcept;
  ~JsonReader();

  // Reads all of the text into an existing value, which after an error is valid but unspecified.
  Status read(const Type& type, std::string_view text, void* value);

  template <class T>
  Status read(std::string_view text, T& value) {
    return read(type_of<T>(), text, &value);
  }

  // Of the last read(), if it failed.
  const JsonProblem& problem() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace millrace::detail
