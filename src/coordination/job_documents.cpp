#include "millrace/coordination/job_documents.h"

#include <set>

#include "millrace/coordination/document_metadata_store.h"
#include "millrace/state/sealed_record.h"

namespace millrace::detail {
namespace {

constexpr SealedFormat kSubmittedFormat{
    .magic = "MILLRHND", .version = 1, .what = "record of a submitted job"};
constexpr SealedFormat kEndFormat{
    .magic = "MILLREND", .version = 1, .what = "record of a job's end"};

std::string submission_path(std::string_view id) { return document_path("submissions", id); }
std::string record_path(std::string_view id) { return document_path("jobs", id); }
std::string result_path(std::string_view id) { return document_path("results", id); }

}  // namespace

Result<std::vector<std::string>> JobDocuments::ids() { return documents_.list("submissions"); }

Result<std::optional<JobDocuments::Found>> JobDocuments::find(const std::string& id) {
  const auto document = documents_.read(submission_path(id));
  if (!document) return document.error();
  if (!*document) return std::optional<Found>();
  Result<SubmittedJob> job = unseal<SubmittedJob>(kSubmittedFormat, (*document)->bytes, id);
  if (!job) return job.error();
  return std::optional(Found{*std::move(job), (*document)->version});
}

Result<std::optional<JobRecord>> JobDocuments::record_of(const std::string& id) {
  return DocumentMetadataStore(documents_, epoch_).read(id);
}

Result<std::optional<JobEnd>> JobDocuments::end_of(const std::string& id) {
  const auto document = documents_.read(result_path(id));
  if (!document) return document.error();
  if (!*document) return std::optional<JobEnd>();
  Result<JobEnd> end = unseal<JobEnd>(kEndFormat, (*document)->bytes, id);
  if (!end) return end.error();
  return std::optional(*std::move(end));
}

Result<DocumentVersion> JobDocuments::keep(const SubmittedJob& job, DocumentVersion version) {
  const std::string& id = job.submission.id;
  const Result<std::string> bytes = seal(kSubmittedFormat, job);
  if (!bytes) return bytes.error();
  if (version == kNoDocument) {
    if (Status erased = erase_remains(id); !erased) return erased.error();
  }
  const auto kept = documents_.write(submission_path(id), version, *bytes, epoch_);
  if (kept) return *kept;
  // It may have been written, now or by a try whose reply was lost.
  const auto there = documents_.read(submission_path(id));
  if (there && *there && (*there)->bytes == *bytes) return (*there)->version;
  return kept.error().with_context("keeping the job");
}

Status JobDocuments::keep_end(const std::string& id, const JobEnd& end) {
  const auto known = documents_.read(result_path(id));
  if (!known) return known.error();
  if (*known) return {};
  const Result<std::string> bytes = seal(kEndFormat, end);
  if (!bytes) return bytes.error();
  const auto kept = documents_.write(result_path(id), kNoDocument, *bytes, epoch_);
  return kept ? Status() : kept.error();
}

Status JobDocuments::forget(const std::string& id) {
  const auto submission = documents_.read(submission_path(id));
  if (!submission) return submission.error();
  if (*submission) {
    Status erased = documents_.erase(submission_path(id), (*submission)->version, epoch_);
    if (!erased) return erased;
  }
  return erase_remains(id);
}

Status JobDocuments::forget_remains() {
  std::set<std::string> found;
  for (const char* const folder : {"jobs", "results"}) {
    const auto names = documents_.list(folder);
    if (!names) return names.error();
    found.insert(names->begin(), names->end());
  }
  const auto there = ids();
  if (!there) return there.error();
  for (const std::string& id : *there) found.erase(id);
  for (const std::string& id : found) {
    if (Status erased = erase_remains(id); !erased) return erased;
  }
  return {};
}

// The submission is looked for behind the document's version: with whoever hands in the same id
// meanwhile, that changes.
Status JobDocuments::erase_remains(const std::string& id) {
  for (const std::string& path : {record_path(id), result_path(id)}) {
    const auto document = documents_.read(path);
    if (!document) return document.error();
    if (!*document) continue;
    const auto submission = documents_.read(submission_path(id));
    if (!submission) return submission.error();
    if (*submission) return {};
    Status erased = documents_.erase(path, (*document)->version, epoch_);
    if (!erased) return erased;
  }
  return {};
}

}  // namespace millrace::detail
