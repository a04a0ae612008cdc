#include "millrace/coordination/document_metadata_store.h"

#include <utility>

#include "millrace/coordination/job_record_format.h"

namespace millrace::detail {
namespace {

struct Found {
  DocumentVersion version;
  std::optional<JobRecord> record;
};

std::string path_of(std::string_view job) { return document_path("jobs", job); }

Result<Found> find(DocumentStore& documents, std::string_view job) {
  const std::string path = path_of(job);
  const Result<std::optional<Document>> document = documents.read(path);
  if (!document) return document.error();
  if (!*document) return Found{};
  Result<JobRecord> record = decode_job_record((*document)->bytes, path, job);
  if (!record) return record.error();
  return Found{(*document)->version, *std::move(record)};
}

}  // namespace

Result<std::optional<JobRecord>> DocumentMetadataStore::read(std::string_view job) {
  Result<Found> found = find(documents_, job);
  if (!found) return found.error();
  return std::move(found->record);
}

Result<JobRecord> DocumentMetadataStore::write(std::string_view job, std::uint64_t version,
                                               JobRecord record) {
  const Result<Found> found = find(documents_, job);
  if (!found) return found.error();
  Status replaceable = check_replaceable(job, found->record, version, record.epoch);
  if (!replaceable) return replaceable.error();
  record.version = version + 1;
  const Result<std::string> bytes = encode_job_record(job, record);
  if (!bytes) return bytes.error();
  const auto written = documents_.write(path_of(job), found->version, *bytes, leader_);
  if (!written) return written.error();
  return record;
}

}  // namespace millrace::detail
