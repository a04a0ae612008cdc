// Checkpoints in a directory, which all processes of the job see:
//
//   chk-<id>-<epoch>/_metadata
//   shared/<checksum>-<id>-<epoch>      a file, under its content's name and its checkpoint's
//   .writing-<id>-<epoch>-...           in both folders: being written; then renamed
//
// The directory is made with the first write, not by reading. Whoever is its only leader holds a
// DirectoryLock on it, or knows by other means.
#pragma once

#include <filesystem>
#include <mutex>

#include "millrace/state/checkpoint_store.h"
#include "millrace/state/files/file_system.h"

namespace millrace::detail {

class DirectoryCheckpointStore final : public CheckpointStore {
 public:
  DirectoryCheckpointStore(FileSystem& files, std::filesystem::path directory);

  Result<StoredFile> put_file(const CheckpointName& checkpoint, std::string name,
                              const std::filesystem::path& file) override;
  Result<StoredFile> put(const CheckpointName& checkpoint, std::string name,
                         std::string_view bytes) override;
  Status fetch_file(const StoredFile& file, const std::filesystem::path& to) override;
  Result<std::string> fetch(const StoredFile& file) override;
  std::filesystem::path local_path(const StoredFile& file) const override;
  Status write_metadata(const CheckpointName& checkpoint, std::string_view bytes) override;
  Result<std::string> read_metadata(const CheckpointName& checkpoint) override;
  Status remove_unused(const CheckpointName& newest, const std::set<CheckpointName>& keep,
                       const std::set<std::string>& keep_files) override;

  // All checkpoints and their files, and the directory, unless something else lies there. Of a job
  // that has ended; what its last processes still write may come behind it.
  Status remove_all();
  // Whether there are any.
  Result<bool> has_checkpoints();

 private:
  using Path = std::filesystem::path;

  Status make_shared_folder();
  Path temporary_path(const Path& folder, const CheckpointName& checkpoint);
  Result<StoredFile> share(const Path& temporary, const CheckpointName& checkpoint,
                           StoredFile stored);
  Status publish(const Path& temporary, const Path& to);
  Status remove_checkpoint(const Path& folder);

  FileSystem& files_;
  const Path directory_;
  const Path shared_;
  std::mutex mutex_;
  bool shared_made_ = false;
};

}  // namespace millrace::detail
