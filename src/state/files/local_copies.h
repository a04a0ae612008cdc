// A checkpoint store with a worker's own copies of what its processes have put there: who goes on
// from a checkpoint where it was before reads no shared storage. A copy is a second name for the
// same content where one disk has both.
//
//   DIR/<checksum>-<id>-<epoch>         as the shared store calls it
//
// A copy is believed as little as any stored file, and one that is missing, damaged or cannot be
// made costs no more than the way to the shared store. Copies of small pieces that come as bytes
// are not kept.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "millrace/state/checkpoint_store.h"
#include "millrace/state/files/file_system.h"

namespace millrace::detail {

class LocalCopies final : public CheckpointStore {
 public:
  // The folder is made with the first copy. One process of a job has it at a time; what another
  // does there meanwhile can only cost a copy.
  LocalCopies(FileSystem& files, CheckpointStore& shared, std::filesystem::path folder);

  Result<StoredFile> put_file(const CheckpointName& checkpoint, std::string name,
                              const std::filesystem::path& file) override;
  Result<StoredFile> put(const CheckpointName& checkpoint, std::string name,
                         std::string_view bytes) override {
    return shared_.put(checkpoint, std::move(name), bytes);
  }
  Status fetch_file(const StoredFile& file, const std::filesystem::path& to) override;
  Result<std::string> fetch(const StoredFile& file) override;
  std::filesystem::path local_path(const StoredFile& file) const override {
    return shared_.local_path(file);
  }
  void retain(const void* owner, const CheckpointName& completed,
              std::span<const StoredFile> files) override;
  void forget(const void* owner) override;
  Status write_metadata(const CheckpointName& checkpoint, std::string_view bytes) override {
    return shared_.write_metadata(checkpoint, bytes);
  }
  Result<std::string> read_metadata(const CheckpointName& checkpoint) override {
    return shared_.read_metadata(checkpoint);
  }
  Status remove_unused(const CheckpointName& newest, const std::set<CheckpointName>& keep,
                       const std::set<std::string>& keep_files) override {
    return shared_.remove_unused(newest, keep, keep_files);
  }

 private:
  using Path = std::filesystem::path;
  struct Needs {
    CheckpointName completed;
    std::set<std::string> names;
  };

  Path copy_of(const StoredFile& file) const;
  void keep(const StoredFile& stored, const Path& file);
  // Passes the copy's content on if it is whole, and removes it if not.
  bool read_copy(const StoredFile& file, const FileSystem::UseChunk& use);
  // Removes what was uploaded up to then, if it is not needed; of all, if none is said.
  void sweep(const std::optional<CheckpointName>& up_to, const std::set<std::string>& needed);

  FileSystem& files_;
  CheckpointStore& shared_;
  const Path folder_;
  std::mutex mutex_;
  bool made_ = false;
  std::map<const void*, Needs> owners_;
  std::set<std::string> left_;  // what those needed last who are gone: the next will begin with it
  CheckpointName swept_;
};

}  // namespace millrace::detail
