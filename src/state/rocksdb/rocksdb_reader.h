// The database of a checkpoint, opened for reading where its files lie, without copying them.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "millrace/state/checkpoint_store.h"
#include "millrace/state/rocksdb/working_directory.h"
#include "millrace/state/state_store.h"

namespace rocksdb {
class DB;
}

namespace millrace::detail {

class RocksDbReader {
 public:
  // The folder is made, for links, and gone with the reader.
  static Result<std::unique_ptr<RocksDbReader>> open(const std::filesystem::path& folder,
                                                     std::span<const StoredFile> files,
                                                     CheckpointStore& from);
  ~RocksDbReader();

  // As of a store (state_store.h).
  std::unique_ptr<StateScan> scan(std::string_view first, std::string_view end);

 private:
  explicit RocksDbReader(ScratchFolder folder);

  const ScratchFolder folder_;
  std::unique_ptr<rocksdb::DB> database_;
};

}  // namespace millrace::detail
