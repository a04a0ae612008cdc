// A cluster that is none: jobs are rows in memory, whose phases the test sets. Safe for threads.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "millrace/coordination/cluster_control.h"

namespace millrace::test {

class MemoryClusterControl final : public detail::ClusterControl {
 public:
  detail::LeaderReport leader() override;
  Result<bool> has_artifact(std::string_view sha256) override;
  Status put_artifact(std::string_view sha256, const Parts& next) override;
  Result<bool> submit(const detail::JobSubmission& submission) override;
  Result<std::vector<detail::JobReport>> jobs() override;
  Result<detail::JobReport> job(std::string_view id) override;
  Status cancel(std::string_view id) override;
  Result<std::string> take_savepoint(std::string_view id, const SavepointWish& wish) override;
  Result<detail::SavepointReport> savepoint(std::string_view id, std::string_view request) override;
  Status rescale(std::string_view id, std::uint32_t parallelism) override;
  Result<std::string> logs(std::string_view id, std::size_t lines) override;
  Result<std::vector<detail::WorkerReport>> workers() override;

  // What a test sets up.
  void set_leader(detail::LeaderReport leader);
  void put_job(detail::JobReport job);
  void change_job(std::string_view id, const std::function<void(detail::JobReport&)>& change);
  void set_savepoint(detail::SavepointReport savepoint);  // what every request comes to
  void set_log(std::string text);
  void set_phase_of_submitted(detail::JobPhase phase);  // running otherwise
  // Every call but leader() fails so.
  void fail_with(std::optional<Error> error);

  // What was asked for.
  std::vector<detail::JobSubmission> submissions() const;
  std::vector<SavepointWish> savepoint_wishes() const;
  std::size_t largest_part() const;  // of an artifact
  std::uint64_t artifact_bytes() const;

 private:
  detail::JobReport* find(std::string_view id);
  Error unknown(std::string_view id) const;

  mutable std::mutex mutex_;
  detail::LeaderReport leader_{.here = true};
  std::optional<Error> failure_;
  std::map<std::string, detail::JobReport, std::less<>> jobs_;
  std::map<std::string, detail::JobSubmission, std::less<>> submissions_;
  std::set<std::string, std::less<>> artifacts_;
  std::vector<SavepointWish> wishes_;
  detail::SavepointReport savepoint_{.completed = true, .path = "/saves/savepoint-1"};
  std::string log_ = "first\nsecond\nthird\n";
  detail::JobPhase phase_of_submitted_ = detail::JobPhase::kRunning;
  std::size_t largest_part_ = 0;
  std::uint64_t artifact_bytes_ = 0;
};

}  // namespace millrace::test
