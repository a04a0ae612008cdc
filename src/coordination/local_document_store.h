// Documents in a local directory, for the processes of one machine, which one of them leads
// (LocalLeaderElection). Each is a file that is replaced as a whole; a lock is held while it is
// seen to that the leader is who says so, and the version the one that is meant, and the change is
// made (docs/FORMATS.md, "Documents").
#pragma once

#include <filesystem>
#include <functional>

#include "millrace/coordination/document_store.h"
#include "millrace/coordination/leader_format.h"
#include "millrace/state/files/file_system.h"

namespace millrace::detail {

class LocalDocumentStore final : public DocumentStore {
 public:
  LocalDocumentStore(FileSystem& files, std::filesystem::path directory);

  Result<std::vector<std::string>> list(std::string_view folder) override;
  Result<std::optional<Document>> read(std::string_view path) override;
  Result<DocumentVersion> write(std::string_view path, DocumentVersion version,
                                std::string_view bytes, LeaderEpoch leader) override;
  Status erase(std::string_view path, DocumentVersion version, LeaderEpoch leader) override;

 private:
  // Makes a change if leader and version are those that are there.
  Status change(std::string_view path, DocumentVersion version, LeaderEpoch leader,
                const std::function<Status()>& make);
  Result<std::optional<Document>> find(std::string_view path);

  FileSystem& files_;
  const std::filesystem::path directory_;
};

// Who leads by the directory's `leader` file: nobody if there is none.
Result<LeaderRecord> read_local_leader(FileSystem& files, const std::filesystem::path& directory);

// Held by whoever changes something in the directory.
Result<std::unique_ptr<FileLock>> lock_local_changes(FileSystem& files,
                                                     const std::filesystem::path& directory);

// Replaces a file in one step, durably. kUnavailable if it is not known whether it was.
Status replace_file(FileSystem& files, const std::filesystem::path& path, std::string_view bytes);

}  // namespace millrace::detail
