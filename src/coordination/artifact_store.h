// The executables of a cluster's jobs: files named by their SHA-256 in a directory that all
// coordinators share. One gets its name once all of it is there, its SHA-256 is right and it is
// durable. Who asks for one counts as using it, since it is about to be submitted; the leader
// removes what no job needs once nobody has used it for long.
//
//   DIR/<sha256>     whole
//   DIR/.<name>      being uploaded; worth nothing once its writer is gone
//
// Calls block, and may come from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "millrace/coordination/cluster_control.h"
#include "millrace/core/result.h"
#include "millrace/core/time.h"
#include "millrace/state/files/file_system.h"

namespace millrace::detail {

class ArtifactStore {
 public:
  ArtifactStore(FileSystem& files, std::filesystem::path directory)
      : files_(files), directory_(std::move(directory)) {}

  bool has(std::string_view sha256);
  // kNotFound if it is not there; kUnavailable if that cannot be told.
  Result<std::uint64_t> size_of(const std::string& artifact);

  Status put(std::string_view sha256, const ClusterControl::Parts& next);
  // A part of it, from an offset on; nothing behind its end.
  Result<std::string> read(const std::string& artifact, std::uint64_t offset) const;

  // Removes what is not in use and was last used before that time.
  void remove_unused(const std::set<std::string>& in_use, Timestamp before);

 private:
  void touch(std::string_view artifact);
  Status receive(const std::filesystem::path& temporary, std::string_view sha256,
                 const ClusterControl::Parts& next);

  FileSystem& files_;
  const std::filesystem::path directory_;
  std::mutex mutex_;  // whoever finds one has used it before it could be removed
};

}  // namespace millrace::detail
