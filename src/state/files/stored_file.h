// What every store does with a StoredFile: it opens no other path than its own, and believes a file
// only if it has the size and the checksum that it was stored with.
#pragma once

#include "millrace/core/checksum.h"
#include "millrace/state/checkpoint_store.h"

namespace millrace::detail {

// kCorruption unless the path is one that put() gave out.
Status check_path(const StoredFile& file);

// The error of opening a stored file: that it is missing is damage to the checkpoint.
Error missing_is_corruption(const StoredFile& file, const Error& error);

// Compares a file's content, which comes in pieces.
class StoredFileCheck {
 public:
  explicit StoredFileCheck(const StoredFile& file) : file_(file) {}

  Status add(std::string_view bytes);
  Status finish() const;

 private:
  const StoredFile& file_;
  std::uint64_t bytes_ = 0;
  Checksummer checksum_;
};

}  // namespace millrace::detail
