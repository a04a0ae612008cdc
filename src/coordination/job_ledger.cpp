#include "millrace/coordination/job_ledger.h"

#include <algorithm>
#include <utility>

#include "millrace/core/failpoint.h"
#include "millrace/core/mutant.h"
#include "millrace/core/text.h"
#include "millrace/state/checkpoint_format.h"

namespace millrace::detail {
namespace {

constexpr int kClaims = 3;  // before the metadata store counts as unreachable

Error deposed(std::string_view job) {
  return cancelled(concat("another coordinator leads the job ", in_quotes(job),
                          " now; this one has stopped its tasks"));
}

std::set<std::string> files_of(const CheckpointMetadata& metadata) {
  std::set<std::string> files;
  for (const TaskSnapshot& task : metadata.tasks) {
    for (const StoredFile& file : task.in_flight) files.insert(file.path);
    for (const OperatorSnapshot& snapshot : task.operators) {
      for (const KeyedSnapshot& keyed : snapshot.keyed) {
        for (const StoredFile& file : keyed.files) files.insert(file.path);
      }
    }
  }
  return files;
}

}  // namespace

Status check_stores(const ExecutionSettings& settings) {
  const bool checkpoints = settings.checkpoint_store != nullptr;
  const bool metadata = settings.metadata_store != nullptr;
  if (checkpoints != metadata) {
    return invalid_argument(concat("the job has a ", checkpoints ? "checkpoint" : "metadata",
                                   " store without a ", checkpoints ? "metadata" : "checkpoint",
                                   " store; it needs both, or neither"));
  }
  const bool periodic = settings.checkpoints.interval.count() > 0;
  if (checkpoints || !periodic) return {};
  return invalid_argument(
      "the job is to take checkpoints, but has nowhere to put them; set their directory "
      "(execution.checkpointing.dir), or no interval");
}

JobLedger::JobLedger(std::string job, const ExecutionSettings& settings)
    : job_(std::move(job)),
      restore_(settings.restore),
      allow_repeated_output_(settings.allow_repeated_output),
      checkpoint_store_(settings.checkpoint_store ? *settings.checkpoint_store : own_checkpoints_),
      metadata_store_(settings.metadata_store ? *settings.metadata_store : own_metadata_),
      savepoints_(settings.savepoints) {}

Result<Attempt> JobLedger::next_attempt(std::size_t region, CheckpointId triggered) {
  const Edit allocate = [region, triggered](JobRecord& record) {
    record.next_checkpoint = std::max(record.next_checkpoint, triggered.value() + 1);
    record.attempts.resize(std::max(record.attempts.size(), region + 1));
    record.attempts[region] = ++record.attempt;
  };
  if (!epoch_) {
    if (Status claimed = claim(allocate); !claimed) return claimed.error();
  } else {
    if (Status allocated = change(allocate); !allocated) return allocated.error();
  }
  Attempt attempt = current();
  if (const auto* from = std::get_if<RestoreFromPath>(&record_->restore)) {
    Result<FoundSnapshot> found = find_origin(from->path);
    if (!found) return found.error();
    attempt.checkpoint = std::move(found->metadata);
    attempt.origin = from->path;
    attempt.origin_store = std::move(found->store);
    return attempt;
  }
  Result<std::vector<CheckpointName>> completed = gone_on_from(*record_);
  if (!completed) return completed.error();
  attempt.completed = *std::move(completed);
  if (attempt.completed.empty()) return attempt;
  Result<CheckpointMetadata> metadata = load(attempt.completed.back());
  if (!metadata) return metadata.error();
  attempt.checkpoint = *std::move(metadata);
  return attempt;
}

Result<std::vector<AttemptId>> JobLedger::attempts() {
  const Result<std::optional<JobRecord>> found = read();
  if (!found) return found.error();
  std::vector<AttemptId> attempts;
  for (const std::uint64_t id : found->value_or(JobRecord()).attempts) {
    attempts.push_back(AttemptId(id));
  }
  return attempts;
}

Result<Attempt> JobLedger::adopt() {
  if (Status claimed = claim([](JobRecord&) {}); !claimed) return claimed.error();
  Attempt attempt = current();
  Result<std::vector<CheckpointName>> completed = gone_on_from(*record_);
  if (!completed) return completed.error();
  attempt.completed = *std::move(completed);
  return attempt;
}

Attempt JobLedger::current() const {
  Attempt attempt{.id = AttemptId(record_->attempt),
                  .epoch = record_->epoch,
                  .next_checkpoint = CheckpointId(record_->next_checkpoint)};
  for (const std::uint64_t id : record_->attempts) attempt.regions.push_back(AttemptId(id));
  return attempt;
}

// A claim whose reply was lost may have been another coordinator's that looks the same: it is
// repeated with a newer epoch until one is confirmed.
Status JobLedger::claim(const Edit& edit) {
  Status status;
  for (int i = 0; i < kClaims; ++i) {
    Result<std::optional<JobRecord>> found = read();
    if (!found) return found.error();
    JobRecord wanted = found->value_or(JobRecord());
    if (!before_) before_ = wanted;
    Status chosen = choose(wanted);
    if (!chosen) return chosen;
    ++wanted.epoch;
    edit(wanted);
    wanted.state = "running";
    Result<JobRecord> written = metadata_store_.write(job_, wanted.version, wanted);
    if (written) {
      epoch_ = written->epoch;
      record_ = *std::move(written);
      pass(FailPoint::kJobClaimed);
      return {};
    }
    status = written.error();
    if (status.error().code() != ErrorCode::kUnavailable) break;
  }
  return status.error().with_context(concat("claiming the job ", in_quotes(job_)));
}

Result<std::optional<JobRecord>> JobLedger::read() {
  Result<std::optional<JobRecord>> record = metadata_store_.read(job_);
  if (!record)
    return record.error().with_context(concat("reading about the job ", in_quotes(job_)));
  return record;
}

// What the job is to go on from, if that can be found. The latest is what the record says already.
Status JobLedger::choose(JobRecord& record) const {
  const bool older = is_mutant(Mutant::kRestoreOlder) && record.completed.size() > 1;
  if (older) record.completed.pop_back();
  if (!std::holds_alternative<RestoreFromLatest>(restore_)) record.restore = restore_;
  if (const auto* asked = std::get_if<RestoreFromPath>(&restore_)) {
    const Result<FoundSnapshot> found = find_origin(asked->path);
    if (!found) return found.error();
    // What sinks have prepared is told apart by it.
    record.next_checkpoint = std::max(record.next_checkpoint, found->metadata.id + 1);
    const bool own = found->metadata.job == job_;
    return own ? check_newest(CheckpointId(found->metadata.id), asked->path, record) : Status();
  }
  const Result<std::vector<CheckpointName>> found = gone_on_from(record);
  if (!found) return found.error();
  const auto* asked = std::get_if<RestoreFromCheckpoint>(&restore_);
  return asked ? check_newest(asked->id, to_string(found->back()), record) : Status();
}

// Sinks have committed at each completed checkpoint. Behind an older one they would be given again
// what they have shown.
Status JobLedger::check_newest(CheckpointId id, std::string_view asked,
                               const JobRecord& record) const {
  if (allow_repeated_output_ || record.completed.empty()) return {};
  const CheckpointName newest = record.completed.back();
  if (id >= newest.id) return {};
  return invalid_argument(concat(
      "the job is to go on from ", in_quotes(asked), ", its checkpoint ", id.value(),
      ", but it has completed ", to_string(newest),
      " since, and what its sinks have shown in between would be shown again; go on from the "
      "newest (--restore=latest), or allow it (--allow-repeated-output)"));
}

Result<FoundSnapshot> JobLedger::find_origin(const std::string& path) const {
  if (savepoints_ == nullptr) {
    return invalid_argument(concat("the job is to go on from ", in_quotes(path),
                                   ", but was given no store of savepoints"));
  }
  Result<FoundSnapshot> found = savepoints_->find(path);
  if (!found) return found.error().with_context("what the job is to go on from");
  return found;
}

// The completed checkpoints up to the one that the job goes on from.
Result<std::vector<CheckpointName>> JobLedger::gone_on_from(const JobRecord& record) const {
  const std::vector<CheckpointName>& completed = record.completed;
  if (std::holds_alternative<RestoreFromLatest>(record.restore)) return completed;
  const auto* asked = std::get_if<RestoreFromCheckpoint>(&record.restore);
  if (asked == nullptr) return std::vector<CheckpointName>();
  const CheckpointName name{asked->id, asked->epoch};
  const auto found = std::ranges::find(completed, name);
  if (found == completed.end()) {
    return not_found(concat("the job ", in_quotes(job_), " has no completed checkpoint ",
                            to_string(name), "; the newest is ",
                            completed.empty() ? "none" : to_string(completed.back())));
  }
  return std::vector<CheckpointName>(completed.begin(), found + 1);
}

Status JobLedger::change(const Edit& edit) {
  if (!record_) {
    Result<std::optional<JobRecord>> found = read();
    if (!found) return found.error();
    if (!*found || (*found)->epoch != *epoch_) return deposed(job_);
    record_ = **found;
  }
  JobRecord wanted = *record_;
  edit(wanted);
  return write_record(wanted);
}

Status JobLedger::write_record(const JobRecord& wanted) {
  Result<JobRecord> written = metadata_store_.write(job_, wanted.version, wanted);
  if (written) {
    record_ = *std::move(written);
    return {};
  }
  record_.reset();
  if (written.error().code() == ErrorCode::kCancelled) return deposed(job_);
  if (written.error().code() == ErrorCode::kUnavailable) return resolve(wanted, written.error());
  return written.error();
}

// The reply was lost: was it written? Nobody else writes in this epoch.
Status JobLedger::resolve(const JobRecord& wanted, const Error& lost) {
  const Result<std::optional<JobRecord>> found = read();
  if (!found) return lost;
  if (!*found || (*found)->epoch != *epoch_) return deposed(job_);
  record_ = **found;
  if (record_->version == wanted.version) return lost;
  return {};
}

Status JobLedger::write(const CheckpointName& checkpoint, const CheckpointMetadata& metadata) {
  files_[checkpoint] = files_of(metadata);
  Result<std::string> bytes = encode_checkpoint(metadata);
  if (!bytes) return bytes.error();
  return passed(FailPoint::kMetadataWritten, checkpoint_store_.write_metadata(checkpoint, *bytes));
}

Result<CheckpointMetadata> JobLedger::load(const CheckpointName& checkpoint) {
  Result<CheckpointMetadata> metadata = read_checkpoint(checkpoint_store_, checkpoint);
  if (metadata) files_[checkpoint] = files_of(*metadata);
  return metadata;
}

Status JobLedger::complete(const std::vector<CheckpointName>& retained) {
  return passed(FailPoint::kPointerSwapped, change([&](JobRecord& record) {
                  record.completed = retained;
                  record.restore = RestoreFromLatest{};
                  record.next_checkpoint = retained.back().id.value() + 1;
                }));
}

Status JobLedger::remove_unused() {
  if (!record_ || record_->completed.empty()) return {};
  return remove_up_to(record_->completed.back());
}

Status JobLedger::remove_abandoned() {
  if (!record_) return {};
  return remove_up_to({CheckpointId(record_->next_checkpoint - 1), record_->epoch});
}

Status JobLedger::remove_up_to(const CheckpointName& newest) {
  const std::set<CheckpointName> keep(record_->completed.begin(), record_->completed.end());
  std::set<std::string> files;
  for (const CheckpointName& name : keep) {
    if (!files_.contains(name)) {
      Result<CheckpointMetadata> loaded = load(name);
      if (!loaded) return loaded.error();
    }
    files.insert(files_[name].begin(), files_[name].end());
  }
  std::erase_if(files_, [&](const auto& entry) { return !keep.contains(entry.first); });
  return passed(FailPoint::kUnusedRemoved, checkpoint_store_.remove_unused(newest, keep, files));
}

Status JobLedger::end(std::string_view state) {
  if (!epoch_) return {};
  return passed(FailPoint::kEndRecorded, change([&](JobRecord& record) { record.state = state; }));
}

Status JobLedger::withdraw(std::string_view state) {
  if (!epoch_) return {};
  if (is_from_nothing(*before_)) return end(state);
  return passed(FailPoint::kEndRecorded, change([&](JobRecord& record) {
                  record.restore = before_->restore;
                  record.state = before_->state;
                }));
}

}  // namespace millrace::detail
