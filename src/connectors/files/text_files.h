// text_files(path): the lines of a file, or of all files of a directory or glob, as strings,
// without their line ends. Bounded; how far each file was read is its state, so that it will be
// exactly once when there are checkpoints. Each file is read from its begin to its end by one
// subtask, unless it is splittable().
#pragma once

#include <string>
#include <utility>

#include "millrace/operators/endpoints.h"

namespace millrace {

// No template, so that a job that reads text is quick to compile.
class TextFiles {
 public:
  explicit TextFiles(std::string path) : path_(std::move(path)) {}

  // Large files are cut into ranges of about 64 MiB that are read in parallel. The lines of one
  // file then come out of order.
  TextFiles splittable() const {
    TextFiles files = *this;
    files.splittable_ = true;
    return files;
  }

  SourceSpec<std::string> spec() const;

 private:
  std::string path_;
  bool splittable_ = false;
};

inline TextFiles text_files(std::string path) { return TextFiles(std::move(path)); }

}  // namespace millrace
