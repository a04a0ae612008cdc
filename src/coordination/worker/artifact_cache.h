// The executables that a worker has: files named by their SHA-256 in a directory of its own. One
// comes in parts, in order, into a file with another name, and gets its own once all of it is
// there, its SHA-256 is right and it is durable. What is there is looked at again the first time
// that it is asked for: it may be from an earlier life.
//
//   DIR/<sha256>             whole, and executable
//   DIR/.<sha256>.fetching   incomplete, worth nothing after this process
//
// Calls block; one at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/result.h"
#include "millrace/core/sha256.h"
#include "millrace/core/time.h"

namespace millrace::detail {

constexpr std::uint64_t kMostArtifactBytes = std::uint64_t{4} << 30;

// What there is of an artifact.
struct ArtifactProgress {
  std::optional<std::filesystem::path> file = std::nullopt;  // whole
  std::uint64_t offset = 0;                                  // from where on it is wanted, if not

  bool operator==(const ArtifactProgress&) const = default;
};

class ArtifactCache {
 public:
  // Makes the directory, and clears it of what an earlier process has not finished.
  static Result<ArtifactCache> open(const std::filesystem::path& directory);
  ArtifactCache(ArtifactCache&&) noexcept = default;
  ~ArtifactCache();

  // Begins to fetch it if it is not there.
  Result<ArtifactProgress> look_for(const std::string& artifact, std::uint64_t bytes);
  // A part that came. None if it is there already, or of what is not fetched any more. After an
  // error nothing is left of it.
  Result<std::optional<ArtifactProgress>> add(const ArtifactPart& part);

  // Removes what is not in use and was last used before that time, and what is incomplete.
  void remove_unused(const std::set<std::string>& in_use, Timestamp before);
  // It was used until now.
  void touch(const std::string& artifact) const;

 private:
  struct Download {
    int descriptor = -1;
    std::uint64_t bytes = 0;   // of all of it
    std::uint64_t offset = 0;  // that are there
    Sha256 hash;
  };
  using Downloads = std::map<std::string, Download>;

  explicit ArtifactCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path whole(const std::string& artifact) const { return directory_ / artifact; }
  std::filesystem::path part(const std::string& artifact) const {
    return directory_ / ('.' + artifact + ".fetching");
  }
  Result<ArtifactProgress> begin(const std::string& artifact, std::uint64_t bytes);
  Status append(Download& download, const ArtifactPart& part);
  Result<ArtifactProgress> finish(Downloads::iterator download);
  void discard(const std::string& artifact);

  std::filesystem::path directory_;
  Downloads downloads_;
  std::set<std::string> verified_;  // by this process
};

}  // namespace millrace::detail
