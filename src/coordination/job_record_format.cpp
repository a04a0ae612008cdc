#include "millrace/coordination/job_record_format.h"

#include "millrace/core/text.h"
#include "millrace/state/sealed_record.h"

namespace millrace::detail {
namespace {

constexpr SealedFormat kFormat{.magic = "MILLRJOB", .version = 1, .what = "job record"};

struct CompletedCheckpoint {
  std::uint64_t id = 0;
  std::uint64_t epoch = 0;
};

// JobRecord as a plain struct, with the job that it is of.
struct SavedJob {
  std::string job;
  std::uint64_t version = 0;
  std::uint64_t epoch = 0;
  std::uint64_t attempt = 0;
  std::uint64_t next_checkpoint = 1;
  std::vector<CompletedCheckpoint> completed;
  std::string state;
  std::string origin;
};

}  // namespace

Result<std::string> encode_job_record(std::string_view job, const JobRecord& record) {
  SavedJob saved{.job = std::string(job),
                 .version = record.version,
                 .epoch = record.epoch,
                 .attempt = record.attempt,
                 .next_checkpoint = record.next_checkpoint,
                 .state = record.state,
                 .origin = record.origin};
  for (const CheckpointName& name : record.completed) {
    saved.completed.push_back({.id = name.id.value(), .epoch = name.epoch});
  }
  return seal(kFormat, saved);
}

Result<JobRecord> decode_job_record(std::string_view bytes, std::string_view file,
                                    std::optional<std::string_view> job) {
  Result<SavedJob> saved = unseal<SavedJob>(kFormat, bytes, file);
  if (!saved) return saved.error();
  if (job && saved->job != *job) {
    return corruption(concat("'", file, "' is the record of job ", in_quotes(saved->job),
                             ", expected ", in_quotes(*job),
                             ": was it copied or renamed? Restore it from where it lay"));
  }
  JobRecord record{.version = saved->version,
                   .epoch = saved->epoch,
                   .attempt = saved->attempt,
                   .next_checkpoint = saved->next_checkpoint,
                   .state = std::move(saved->state),
                   .origin = std::move(saved->origin)};
  for (const CompletedCheckpoint& name : saved->completed) {
    record.completed.push_back({.id = CheckpointId(name.id), .epoch = name.epoch});
  }
  return record;
}

}  // namespace millrace::detail
