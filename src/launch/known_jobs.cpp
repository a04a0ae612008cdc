#include "millrace/launch/known_jobs.h"

#include <algorithm>

#include "millrace/core/text.h"

namespace millrace {

void KnownJobs::lead(LeaderEpoch epoch) {
  const std::lock_guard lock(mutex_);
  epoch_ = epoch;
}

void KnownJobs::lead_no_more() {
  const std::lock_guard lock(mutex_);
  epoch_.reset();
  knows_all_ = false;
  jobs_.clear();
}

void KnownJobs::note_leader(const detail::LeaderKnown& known) {
  const std::lock_guard lock(mutex_);
  known_ = known;
}

void KnownJobs::note_trouble(const std::string& trouble) {
  const std::lock_guard lock(mutex_);
  trouble_ = trouble;
}

bool KnownJobs::leads(LeaderEpoch epoch) const {
  const std::lock_guard lock(mutex_);
  return epoch_ == epoch;
}

Result<LeaderEpoch> KnownJobs::leading() const {
  const std::lock_guard lock(mutex_);
  if (epoch_) return *epoch_;
  return not_leading();
}

detail::LeaderReport KnownJobs::leader() const {
  const std::lock_guard lock(mutex_);
  detail::LeaderReport report{.here = epoch_.has_value(), .rest_address = {}, .trouble = trouble_};
  const auto address = detail::parse_leader_address(known_.address);
  if (address) report.rest_address = address->rest;
  return report;
}

void KnownJobs::know_all(LeaderEpoch epoch) {
  const std::lock_guard lock(mutex_);
  knows_all_ = epoch_ == epoch;
}

bool KnownJobs::knows_all() const {
  const std::lock_guard lock(mutex_);
  return knows_all_;
}

Result<KnownJob> KnownJobs::find(std::string_view id) {
  return with(id, [](KnownJob& job) -> Result<KnownJob> { return job; });
}

void KnownJobs::each(
    const std::function<void(const std::string& id, const KnownJob& job)>& use) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, job] : jobs_) use(id, job);
}

Result<std::vector<detail::JobReport>> KnownJobs::reports() const {
  const std::lock_guard lock(mutex_);
  if (!epoch_ || !knows_all_) return missing({});
  std::vector<detail::JobReport> reports;
  for (const auto& [id, job] : jobs_) reports.push_back(report_of(id, job));
  std::ranges::sort(reports, {}, [](const detail::JobReport& report) { return report.started; });
  return reports;
}

bool KnownJobs::put(KnownJob job, LeaderEpoch epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch_ != epoch) return false;
  job.epoch = epoch;
  const std::string id = job.submitted.submission.id;
  jobs_.insert_or_assign(id, std::move(job));
  return true;
}

void KnownJobs::erase(const std::string& id, LeaderEpoch epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch_ == epoch) jobs_.erase(id);
}

// Whoever asks is to ask again, and not to take a job for gone, while not all are known.
Error KnownJobs::missing(std::string_view id) const {
  if (!epoch_) return not_leading();
  if (knows_all_) {
    return not_found(concat("there is no job ", id, "; see the list of jobs for their ids"));
  }
  return unavailable("this coordinator was just elected, and still reads which jobs there are");
}

Error KnownJobs::not_leading() const {
  return unavailable(
      concat("this coordinator does not lead",
             known_.address.empty() ? "" : concat("; the one that does is at ", known_.address)));
}

}  // namespace millrace
