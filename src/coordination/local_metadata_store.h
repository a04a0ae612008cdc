// Records of jobs in a local directory, for processes of one machine: one file for each job, which
// is replaced as a whole. A lock is held from reading to writing, so that of two writers, in this
// process or another, one finds what the other wrote.
//
//   job-<name>                 the name with %XX for all but letters, digits and ._-
//   .job-<name>.writing        worth nothing
//   .job-<name>.lock
#pragma once

#include <filesystem>
#include <memory>

#include "millrace/coordination/metadata_store.h"
#include "millrace/state/files/file_system.h"

namespace millrace::detail {

class LocalMetadataStore final : public MetadataStore {
 public:
  LocalMetadataStore(FileSystem& files, std::filesystem::path directory);

  Result<std::optional<JobRecord>> read(std::string_view job) override;
  Result<JobRecord> write(std::string_view job, std::uint64_t version, JobRecord record) override;

 private:
  using Path = std::filesystem::path;

  Path path_of(std::string_view job) const;
  Path hidden_path_of(std::string_view job, std::string_view ending) const;
  Result<std::unique_ptr<FileLock>> lock(std::string_view job);
  Result<std::optional<JobRecord>> read_file_of(std::string_view job);
  Status replace(std::string_view job, std::string_view bytes);

  FileSystem& files_;
  const Path directory_;
};

}  // namespace millrace::detail
