// Snapshots in directories: savepoints, checkpoints, and directories of a job's checkpoints, as
// people name them.
#pragma once

#include "millrace/state/files/file_system.h"
#include "millrace/state/savepoint/savepoint_stores.h"

namespace millrace::detail {

class DirectorySavepoints final : public SavepointStores {
 public:
  explicit DirectorySavepoints(FileSystem& files) : files_(files) {}

  Result<std::shared_ptr<CheckpointStore>> create(const std::string& path) override;
  std::shared_ptr<CheckpointStore> open(const std::string& path) override;
  Result<FoundSnapshot> find(const std::string& path) override;

 private:
  using Path = std::filesystem::path;

  Result<FoundSnapshot> find_in(const Path& folder);
  Result<FoundSnapshot> find_checkpoint(const Path& folder);
  Result<Path> newest_in(const Path& directory);

  FileSystem& files_;
};

}  // namespace millrace::detail
