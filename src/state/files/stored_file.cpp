#include "millrace/state/files/stored_file.h"

#include <algorithm>

#include "millrace/core/text.h"
#include "millrace/state/files/checkpoint_names.h"

namespace millrace::detail {
namespace {

Error damaged(const StoredFile& file, std::string_view how) {
  return corruption(concat("checkpoint file '", file.path, "' (", in_quotes(file.name), ") ", how,
                           "; restore an earlier checkpoint, or the file from a backup"));
}

}  // namespace

Status check_path(const StoredFile& file) {
  if (is_stored_path(file.path)) return {};
  return corruption(concat("a checkpoint names the file ", in_quotes(file.path),
                           ", which no checkpoint store gives such a name; expected ",
                           kSharedFolder, "/<checksum>-<id>-<epoch>"));
}

Error missing_is_corruption(const StoredFile& file, const Error& error) {
  return error.code() == ErrorCode::kNotFound ? damaged(file, "is missing") : error;
}

Status StoredFileCheck::add(std::string_view bytes) {
  bytes_ += bytes.size();
  if (bytes_ > file_.bytes) {
    return damaged(file_, concat("goes on after its ", file_.bytes, " bytes"));
  }
  checksum_.add(bytes);
  return {};
}

Status StoredFileCheck::finish() const {
  if (bytes_ < file_.bytes) {
    return damaged(file_, concat("is truncated at byte ", bytes_, " of ", file_.bytes));
  }
  const Checksum found = checksum_.result();
  if (found == file_.checksum) return {};
  return damaged(file_, concat("differs from what was written, somewhere in bytes 0 to ",
                               std::max<std::uint64_t>(bytes_, 1) - 1, ": its checksum is ",
                               to_string(found), ", expected ", to_string(file_.checksum)));
}

}  // namespace millrace::detail
