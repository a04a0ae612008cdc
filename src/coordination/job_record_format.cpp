#include "millrace/coordination/job_record_format.h"

#include "millrace/core/text.h"
#include "millrace/state/files/checkpoint_names.h"
#include "millrace/state/sealed_record.h"

namespace millrace::detail {
namespace {

constexpr SealedFormat kFormat{.magic = "MILLRJOB", .version = 2, .what = "job record"};
// The same, but that a record with an origin has no completed checkpoint.
constexpr SealedFormat kFirstFormat{.magic = "MILLRJOB", .version = 1, .what = "job record"};

constexpr std::string_view kNothing = "none";

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
  std::vector<std::uint64_t> attempts;
};

// Empty for the latest. A path is a whole one, so that it is neither of the other words.
std::string origin_of(const RestoreFrom& restore) {
  if (std::holds_alternative<RestoreFromNothing>(restore)) return std::string(kNothing);
  if (const auto* path = std::get_if<RestoreFromPath>(&restore)) return path->path;
  const auto* checkpoint = std::get_if<RestoreFromCheckpoint>(&restore);
  return checkpoint ? to_string(CheckpointName{checkpoint->id, checkpoint->epoch}) : std::string();
}

RestoreFrom restore_of(std::string origin) {
  if (origin.empty()) return RestoreFromLatest{};
  if (origin == kNothing) return RestoreFromNothing{};
  if (const auto name = parse_checkpoint_name(origin)) {
    return RestoreFromCheckpoint{name->id, name->epoch};
  }
  return RestoreFromPath{std::move(origin)};
}

Result<SavedJob> unseal_job(std::string_view bytes, std::string_view file) {
  Result<SavedJob> first = unseal<SavedJob>(kFirstFormat, bytes, file);
  return first ? std::move(first) : unseal<SavedJob>(kFormat, bytes, file);
}

}  // namespace

Result<std::string> encode_job_record(std::string_view job, const JobRecord& record) {
  SavedJob saved{.job = std::string(job),
                 .version = record.version,
                 .epoch = record.epoch,
                 .attempt = record.attempt,
                 .next_checkpoint = record.next_checkpoint,
                 .state = record.state,
                 .origin = origin_of(record.restore),
                 .attempts = record.attempts};
  for (const CheckpointName& name : record.completed) {
    saved.completed.push_back({.id = name.id.value(), .epoch = name.epoch});
  }
  return seal(kFormat, saved);
}

Result<JobRecord> decode_job_record(std::string_view bytes, std::string_view file,
                                    std::optional<std::string_view> job) {
  Result<SavedJob> saved = unseal_job(bytes, file);
  if (!saved) return saved.error();
  if (job && saved->job != *job) {
    return corruption(concat("'", file, "' is the record of job ", in_quotes(saved->job),
                             ", expected ", in_quotes(*job),
                             ": was it copied or renamed? Restore it from where it lay"));
  }
  JobRecord record{.version = saved->version,
                   .epoch = saved->epoch,
                   .attempt = saved->attempt,
                   .attempts = std::move(saved->attempts),
                   .next_checkpoint = saved->next_checkpoint,
                   .state = std::move(saved->state),
                   .restore = restore_of(std::move(saved->origin))};
  for (const CompletedCheckpoint& name : saved->completed) {
    record.completed.push_back({.id = CheckpointId(name.id), .epoch = name.epoch});
  }
  return record;
}

}  // namespace millrace::detail
