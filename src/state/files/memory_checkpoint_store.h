// Checkpoints in memory, for simulation and tests: gone with the process, and otherwise like those
// on a disk that never fails. put_file() and fetch_file() read and write real files.
#pragma once

#include <map>
#include <mutex>

#include "millrace/state/checkpoint_store.h"

namespace millrace::detail {

class MemoryCheckpointStore final : public CheckpointStore {
 public:
  Result<StoredFile> put_file(const CheckpointName& checkpoint, std::string name,
                              const std::filesystem::path& file) override;
  Result<StoredFile> put(const CheckpointName& checkpoint, std::string name,
                         std::string_view bytes) override;
  Status fetch_file(const StoredFile& file, const std::filesystem::path& to) override;
  Result<std::string> fetch(const StoredFile& file) override;
  Status write_metadata(const CheckpointName& checkpoint, std::string_view bytes) override;
  Result<std::string> read_metadata(const CheckpointName& checkpoint) override;
  Status remove_unused(const CheckpointName& newest, const std::set<CheckpointName>& keep,
                       const std::set<std::string>& keep_files) override;

  // What is there, sorted: metadata as chk-<id>-<epoch>/_metadata, and files by their paths.
  std::vector<std::string> names() const;

 private:
  struct File {
    CheckpointName checkpoint;
    std::string bytes;
  };

  mutable std::mutex mutex_;
  std::map<CheckpointName, std::string> metadata_;
  std::map<std::string, File, std::less<>> files_;  // by path
};

}  // namespace millrace::detail
