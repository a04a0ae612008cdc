#include "support/memory_cluster_control.h"

#include <algorithm>

#include "millrace/core/sha256.h"
#include "millrace/core/text.h"

namespace millrace::test {

using detail::JobPhase;
using detail::JobReport;

detail::LeaderReport MemoryClusterControl::leader() {
  const std::lock_guard lock(mutex_);
  return leader_;
}

Result<bool> MemoryClusterControl::has_artifact(std::string_view sha256) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return artifacts_.contains(sha256);
}

// Reads without the lock: others go on meanwhile.
Status MemoryClusterControl::put_artifact(std::string_view sha256, const Parts& next) {
  Sha256 digest;
  while (true) {
    const Result<std::string> part = next();
    if (!part) return part.error();
    if (part->empty()) break;
    digest.add(*part);
    const std::lock_guard lock(mutex_);
    largest_part_ = std::max(largest_part_, part->size());
    artifact_bytes_ += part->size();
  }
  const std::string actual = digest.take();
  if (actual != sha256) {
    return corruption(concat("the bytes have the SHA-256 ", actual, ", not ", sha256));
  }
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  artifacts_.insert(actual);
  return {};
}

Result<bool> MemoryClusterControl::submit(const detail::JobSubmission& submission) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  if (!artifacts_.contains(submission.artifact)) {
    return not_found(concat("there is no artifact ", submission.artifact));
  }
  if (!submission.description.starts_with("description")) {
    return invalid_argument("the description is none: is the program a job of Millrace?");
  }
  const auto [found, is_new] = submissions_.try_emplace(submission.id, submission);
  if (!is_new && found->second != submission) {
    return invalid_argument(concat("job ", submission.id, " is another one"));
  }
  if (!is_new) return false;
  jobs_[submission.id] = {.id = submission.id,
                          .name = submission.name.empty() ? "unnamed" : submission.name,
                          .phase = phase_of_submitted_,
                          .parallelism = submission.parallelism.value_or(1)};
  return true;
}

Result<std::vector<JobReport>> MemoryClusterControl::jobs() {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  std::vector<JobReport> jobs;
  for (const auto& [id, job] : jobs_) jobs.push_back(job);
  return jobs;
}

Result<JobReport> MemoryClusterControl::job(std::string_view id) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  const JobReport* job = find(id);
  if (job == nullptr) return unknown(id);
  return *job;
}

Status MemoryClusterControl::cancel(std::string_view id) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  JobReport* job = find(id);
  if (job == nullptr) return unknown(id);
  job->phase = JobPhase::kCancelled;
  return {};
}

Result<std::string> MemoryClusterControl::take_savepoint(std::string_view id,
                                                         const SavepointWish& wish) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  JobReport* job = find(id);
  if (job == nullptr) return unknown(id);
  if (wish.stop) job->phase = JobPhase::kStopped;
  wishes_.push_back(wish);
  return concat("request-", wishes_.size());
}

Result<detail::SavepointReport> MemoryClusterControl::savepoint(std::string_view id,
                                                                std::string_view request) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  if (find(id) == nullptr) return unknown(id);
  if (!request.starts_with("request-")) return not_found("there is no such request");
  return savepoint_;
}

Status MemoryClusterControl::rescale(std::string_view id, std::uint32_t parallelism) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  JobReport* job = find(id);
  if (job == nullptr) return unknown(id);
  job->parallelism = parallelism;
  return {};
}

Result<std::string> MemoryClusterControl::logs(std::string_view id, std::size_t lines) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  if (find(id) == nullptr) return unknown(id);
  std::size_t from = log_.size();
  for (std::size_t at = log_.size(); at > 0; --at) {
    if (at < log_.size() && log_[at - 1] == '\n' && lines-- == 1) break;
    from = at - 1;
  }
  return log_.substr(from);
}

Result<std::vector<detail::WorkerReport>> MemoryClusterControl::workers() {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return std::vector<detail::WorkerReport>{
      {.id = "worker-1", .address = "127.0.0.1:6122", .slots = 4, .free_slots = 3}};
}

void MemoryClusterControl::set_leader(detail::LeaderReport leader) {
  const std::lock_guard lock(mutex_);
  leader_ = std::move(leader);
}

void MemoryClusterControl::put_job(JobReport job) {
  const std::lock_guard lock(mutex_);
  jobs_[job.id] = std::move(job);
}

void MemoryClusterControl::change_job(std::string_view id,
                                      const std::function<void(JobReport&)>& change) {
  const std::lock_guard lock(mutex_);
  change(*find(id));
}

void MemoryClusterControl::set_savepoint(detail::SavepointReport savepoint) {
  const std::lock_guard lock(mutex_);
  savepoint_ = std::move(savepoint);
}

void MemoryClusterControl::set_log(std::string text) {
  const std::lock_guard lock(mutex_);
  log_ = std::move(text);
}

void MemoryClusterControl::set_phase_of_submitted(JobPhase phase) {
  const std::lock_guard lock(mutex_);
  phase_of_submitted_ = phase;
}

void MemoryClusterControl::fail_with(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(error);
}

std::vector<detail::JobSubmission> MemoryClusterControl::submissions() const {
  const std::lock_guard lock(mutex_);
  std::vector<detail::JobSubmission> submissions;
  for (const auto& [id, submission] : submissions_) submissions.push_back(submission);
  return submissions;
}

std::vector<detail::ClusterControl::SavepointWish> MemoryClusterControl::savepoint_wishes() const {
  const std::lock_guard lock(mutex_);
  return wishes_;
}

std::size_t MemoryClusterControl::largest_part() const {
  const std::lock_guard lock(mutex_);
  return largest_part_;
}

std::uint64_t MemoryClusterControl::artifact_bytes() const {
  const std::lock_guard lock(mutex_);
  return artifact_bytes_;
}

JobReport* MemoryClusterControl::find(std::string_view id) {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &found->second;
}

Error MemoryClusterControl::unknown(std::string_view id) const {
  return not_found(concat("there is no job ", in_quotes(id)));
}

}  // namespace millrace::test
