// Which files a path names, and the splits that they are read in.
//
// A path is a file, a directory (its files, at any depth), or a glob: * and ? and [..] within a
// name, ** for any number of directories. A name that begins with . or _ is hidden: directories and
// globs pass it over, unless the glob's part begins with the same character. A path that exists is
// never taken for a glob. Files are sorted by path. Links to directories are not followed below the
// path itself, so that a circle of links is harmless.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "millrace/core/result.h"

namespace millrace::detail {

constexpr std::int64_t kEndOfFile = std::numeric_limits<std::int64_t>::max();

// A part of a file, and how far it was read: what a checkpoint keeps. The split holds the records
// that begin in [begin, end).
struct FileSplit {
  std::string path;
  std::int64_t begin = 0;
  std::int64_t end = kEndOfFile;
  std::int64_t position = 0;  // of the next record, once position > begin
  std::int64_t line = 0;      // lines between begin and position

  friend bool operator==(const FileSplit&, const FileSplit&) = default;
};

struct FileInput {
  std::string path;
  bool splittable = false;                // a file may be read by several subtasks, out of order
  std::int64_t split_bytes = 64LL << 20;  // of a splittable file
};

// The regular files that the path names; an error if there are none.
Result<std::vector<std::string>> list_files(const std::string& path);

Result<std::vector<FileSplit>> list_splits(const FileInput& input);

}  // namespace millrace::detail
