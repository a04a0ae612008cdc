// Small documents that the coordinators of a cluster share, such as the records of its jobs: bytes
// under a path of a folder and a name ("jobs/7"). Only the leader changes them: each change says
// on which version it is based and by which leader it is made, and is refused (kCancelled) if
// either is outdated, at the place where it would be made and in the same step. So of a leader that
// was deposed nothing is accepted, whatever it still sends.
//
// A version is 1 when a document is made, also anew, and one more with each change.
//
// Calls block, and may come from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/ids.h"
#include "millrace/core/result.h"

namespace millrace::detail {

using DocumentVersion = StrongId<struct DocumentVersionTag, std::uint64_t>;
inline constexpr DocumentVersion kNoDocument{0};

struct Document {
  std::string bytes;
  DocumentVersion version;
  bool operator==(const Document&) const = default;
};

// ZooKeeper takes 1 MiB for a request, of which this leaves some for what goes with the bytes.
inline constexpr std::size_t kLargestDocument = 1'000'000;

class DocumentStore {
 public:
  virtual ~DocumentStore() = default;

  // The names in a folder, sorted; none if there is no such folder.
  virtual Result<std::vector<std::string>> list(std::string_view folder) = 0;

  // Nothing if there is none. It is at least as new as anything that was written before the call.
  virtual Result<std::optional<Document>> read(std::string_view path) = 0;

  // Replaces that version, or makes the document if that is kNoDocument. After kUnavailable it is
  // unknown whether it was written: read again.
  virtual Result<DocumentVersion> write(std::string_view path, DocumentVersion version,
                                        std::string_view bytes, LeaderEpoch leader) = 0;

  // Likewise, and there is one.
  virtual Status erase(std::string_view path, DocumentVersion version, LeaderEpoch leader) = 0;
};

// The path of a document whose name may hold any bytes.
std::string document_path(std::string_view folder, std::string_view name);

// With %XX for all but letters, digits and ._-
std::string escaped_name(std::string_view name);

// Whether a store can have a document of that path and so many bytes.
Status check_document(std::string_view path, std::size_t size);

// The conditions of a change, for stores that look at them themselves.
Status check_leader(LeaderEpoch asked, LeaderEpoch current);
Status check_version(std::string_view path, DocumentVersion asked, DocumentVersion current);

}  // namespace millrace::detail
