// Makes the stores of one process (rocksdb_store.h), which share a local directory, a cache and the
// threads that compact.
//
// Any thread. The factory outlives its stores.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "millrace/state/rocksdb/rocksdb_tuning.h"
#include "millrace/state/rocksdb/working_directory.h"
#include "millrace/state/state_store.h"

namespace millrace::detail {

// Whether these can be the files of a database.
Status check_database_files(std::span<const StoredFile> files);

class RocksDbStoreFactory final : public StateStoreFactory {
 public:
  // The directory is made if it is missing, and no other process's at the same time.
  static Result<std::unique_ptr<RocksDbStoreFactory>> open(const std::filesystem::path& directory,
                                                           RocksDbSettings settings = {});

  Result<std::unique_ptr<StateStore>> make(std::string_view name) override;
  Result<std::unique_ptr<StateStore>> restore(std::string_view name,
                                              std::span<const StoredFile> files,
                                              CheckpointStore& from) override;

 private:
  RocksDbStoreFactory(std::unique_ptr<WorkingDirectory> directory, RocksDbSettings settings);

  const std::unique_ptr<WorkingDirectory> directory_;
  const RocksDbSettings settings_;
  const RocksDbResources resources_;
};

}  // namespace millrace::detail
