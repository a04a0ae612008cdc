// How records become the bytes of a file: what file sinks know of a format. One instance per
// subtask, called once per batch.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/core/records/type.h"
#include "millrace/core/result.h"

namespace millrace::detail {

class RowWriter {
 public:
  virtual ~RowWriter() = default;

  // Whether records of the type can be written in this format, with these options.
  virtual Status check() const = 0;
  virtual std::string_view extension() const = 0;  // of files, such as ".csv"
  // What stands at the begin of each file.
  virtual void begin_file(std::string& out) const = 0;
  virtual Status append(const void* first, std::size_t stride, std::size_t count,
                        std::string& out) = 0;
};

using RowWriterFactory = std::function<std::unique_ptr<RowWriter>(const Type&)>;

}  // namespace millrace::detail
