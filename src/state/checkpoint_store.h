// Where checkpoints lie: files that tasks upload, and one metadata file for each checkpoint, which
// names them. That a checkpoint is complete is not said here, but by the job's pointer in the
// metadata store (coordination/metadata_store.h); a checkpoint that no pointer names is garbage.
//
// Calls block, and may come from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "millrace/core/checksum.h"
#include "millrace/core/ids.h"
#include "millrace/core/result.h"

namespace millrace::detail {

using FileChecksum = Checksum;

// A file in the store, whole and durable. A plain struct: it is written into metadata.
struct StoredFile {
  std::string name;  // as its owner calls it
  std::string path;  // where it lies, relative to the store; unique to its content and checkpoint
  std::uint64_t bytes = 0;
  FileChecksum checksum;

  bool operator==(const StoredFile&) const = default;
};

// chk-<id>-<epoch>: the same id is used by one leader's checkpoint only.
struct CheckpointName {
  CheckpointId id;
  std::uint64_t epoch = 0;  // of the leader that triggered it

  auto operator<=>(const CheckpointName&) const = default;
};
std::string to_string(const CheckpointName& name);

class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  // Uploads a file for a checkpoint; returns once it is durable. The file may be linked, and must
  // not change any more. A task refers to files of its base checkpoint without uploading them
  // again. After kCorruption the disk may have lost part of the file itself: it must be written
  // anew.
  virtual Result<StoredFile> put_file(const CheckpointName& checkpoint, std::string name,
                                      const std::filesystem::path& file) = 0;
  virtual Result<StoredFile> put(const CheckpointName& checkpoint, std::string name,
                                 std::string_view bytes) = 0;

  // Verified against size and checksum: kCorruption names the file and where it differs, or says
  // that it is missing. A file `to` that is there already is an error.
  virtual Status fetch_file(const StoredFile& file, const std::filesystem::path& to) = 0;
  virtual Result<std::string> fetch(const StoredFile& file) = 0;

  // Where a file lies on this machine, for reading it in place, unverified; empty if it does not.
  virtual std::filesystem::path local_path(const StoredFile&) const { return {}; }

  // What its owner would go on from, once `completed` is; nothing before, of one that has just
  // begun. Who keeps copies forgets those that no owner needs. Ends with forget(). Owners are
  // compared, no more.
  virtual void retain(const void* /*owner*/, const CheckpointName& /*completed*/,
                      std::span<const StoredFile> /*files*/) {}
  virtual void forget(const void* /*owner*/) {}

  // The metadata, durable with its directory entries when this returns. It brings its own checksum.
  virtual Status write_metadata(const CheckpointName& checkpoint, std::string_view bytes) = 0;
  virtual Result<std::string> read_metadata(const CheckpointName& checkpoint) = 0;

  // Removes checkpoints and files of checkpoints up to `newest` that are not to be kept; files that
  // were uploaded for a checkpoint in `keep` stay too, since it may be pending. What it cannot
  // remove does not keep it from the rest: the first error is returned. Only the leader may call
  // it, after its pointer was swapped.
  virtual Status remove_unused(const CheckpointName& newest, const std::set<CheckpointName>& keep,
                               const std::set<std::string>& keep_files) = 0;
};

}  // namespace millrace::detail
