#include "millrace/coordination/local_metadata_store.h"

#include <utility>

#include "millrace/coordination/document_store.h"
#include "millrace/coordination/job_record_format.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

// From the rename on, the new record may be there or not.
Status unknown_outcome(std::string_view job, const Error& error) {
  return unavailable(concat("it is not known whether the record of job ", in_quotes(job),
                            " was changed, and must be read again: ", error.message()));
}

}  // namespace

LocalMetadataStore::LocalMetadataStore(FileSystem& files, Path directory)
    : files_(files), directory_(std::move(directory)) {}

LocalMetadataStore::Path LocalMetadataStore::path_of(std::string_view job) const {
  return directory_ / concat("job-", escaped_name(job));
}

LocalMetadataStore::Path LocalMetadataStore::hidden_path_of(std::string_view job,
                                                            std::string_view ending) const {
  return directory_ / concat(".job-", escaped_name(job), ending);
}

Result<std::unique_ptr<FileLock>> LocalMetadataStore::lock(std::string_view job) {
  Status made = files_.make_directories(directory_);
  if (!made) return made.error();
  return files_.lock(hidden_path_of(job, ".lock"), WhenLocked::kWait);
}

Result<std::optional<JobRecord>> LocalMetadataStore::read_file_of(std::string_view job) {
  const Path path = path_of(job);
  const Result<std::string> bytes = read_file(files_, path);
  if (!bytes && bytes.error().code() == ErrorCode::kNotFound) return std::optional<JobRecord>();
  if (!bytes) return bytes.error();
  Result<JobRecord> record = decode_job_record(*bytes, path.native(), job);
  if (!record) return record.error();
  return std::optional(std::move(*record));
}

// A writer may have ended, or failed, between the rename and making it durable: without the sync,
// what is read and acted upon could be gone after a power cut.
Result<std::optional<JobRecord>> LocalMetadataStore::read(std::string_view job) {
  Result<std::optional<JobRecord>> record = read_file_of(job);
  if (!record || !*record) return record;
  Status synced = files_.sync_directory(directory_);
  if (!synced) return synced.error();
  return record;
}

Result<JobRecord> LocalMetadataStore::write(std::string_view job, std::uint64_t version,
                                            JobRecord record) {
  const Result<std::unique_ptr<FileLock>> locked = lock(job);
  if (!locked) return locked.error();
  const Result<std::optional<JobRecord>> current = read_file_of(job);
  if (!current) return current.error();
  Status status = check_replaceable(job, *current, version, record.epoch);
  if (!status) return status.error();
  record.version = version + 1;
  const Result<std::string> bytes = encode_job_record(job, record);
  if (!bytes) return bytes.error();
  status = replace(job, *bytes);
  if (!status) return status.error();
  return record;
}

Status LocalMetadataStore::replace(std::string_view job, std::string_view bytes) {
  const Path temporary = hidden_path_of(job, ".writing");
  Status status = files_.remove(temporary);
  if (status) status = files_.write_file(temporary, bytes);
  if (!status) return status;
  status = files_.rename(temporary, path_of(job));
  if (status) status = files_.sync_directory(directory_);
  return status ? status : unknown_outcome(job, status.error());
}

}  // namespace millrace::detail
