// Records in files, in the format that csv() or json_lines() stands for.
//
//   job.from(files<Payment>("payments/*.csv", csv()))     a source of records
//   payments.to(files("out", json_lines()))               a sink of the stream's own records
//
// The source is bounded and parallel by files; how far each file was read is its state, so that it
// will be exactly once when there are checkpoints. A path is a file, a directory or a glob
// (file_list.h). The sink's files appear when the job has ended well (file_sink.h).
#pragma once

#include <string>
#include <utility>

#include "millrace/connectors/files/csv_reader.h"
#include "millrace/connectors/files/file_sink.h"
#include "millrace/connectors/files/file_source.h"
#include "millrace/connectors/files/json_lines_reader.h"

namespace millrace {

template <class T>
FilesSource<T, detail::CsvReader> files(std::string path, detail::CsvFormat format) {
  return {"files", std::move(path), {std::move(format.options)}};
}

template <class T>
FilesSource<T, detail::JsonLinesReader> files(std::string path, detail::JsonLinesFormat format) {
  return {"files", std::move(path), {std::move(format.options)}};
}

inline FilesSink files(std::string directory, detail::CsvFormat format) {
  return FilesSink(std::move(directory), [format](const detail::Type& type) {
    return detail::make_csv_writer(type, format.options);
  });
}

inline FilesSink files(std::string directory, detail::JsonLinesFormat format) {
  return FilesSink(std::move(directory), [format](const detail::Type& type) {
    return detail::make_json_lines_writer(type, format.options);
  });
}

}  // namespace millrace
