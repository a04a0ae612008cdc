// A coordinator of a cluster: stands for election, and while it leads has the cluster's jobs run by
// its actors, keeps what must survive it in the documents that all coordinators share, and answers
// whoever asks.
//
//   submissions/ID     what was handed in, and the parallelism that holds now
//   jobs/ID            the job's record: attempts, checkpoints, state
//   results/ID         how it ended
//   DIR/artifacts      executables, by their SHA-256
//   DIR/checkpoints    unless a job names another directory
//
// DIR is shared by all coordinators and workers.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "millrace/actors/coordinator_system.h"
#include "millrace/coordination/cluster_control.h"
#include "millrace/coordination/high_availability.h"
#include "millrace/coordination/metadata_store.h"
#include "millrace/coordination/submission.h"
#include "millrace/core/config/config.h"
#include "millrace/core/executor.h"
#include "millrace/core/log.h"
#include "millrace/plan/logical_plan.h"
#include "millrace/state/files/real_file_system.h"

namespace millrace {

struct ClusterCoordinatorSettings {
  detail::LinkedProcess process;
  std::filesystem::path directory;
};

class ClusterCoordinator final : public detail::ClusterControl {
 public:
  static Result<std::unique_ptr<ClusterCoordinator>> make(const Config& config,
                                                          ClusterCoordinatorSettings settings,
                                                          const Logging& logging);
  ~ClusterCoordinator() override;

  // Where workers find it when it leads.
  const detail::LinkAddress& links() const { return system_->address(); }
  // Stands for election; commands find it at that address.
  void stand(const std::string& rest_address);

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

 private:
  // As it is kept. A plain struct.
  struct Submitted {
    detail::JobSubmission submission;
    std::uint32_t parallelism = 0;  // as it was handed in, or rescaled to; 0: as the plan has it
    std::uint32_t max_parallelism = 0;  // once it was decided
    bool cancelled = false;             // somebody asked for that
    Timestamp at;
  };
  struct Ended {
    std::string phase;
    std::string reason;
    Timestamp at;
  };
  struct Job {
    Submitted submitted;
    detail::DocumentVersion version;
    std::string name;
    std::shared_ptr<const detail::ExecutionPlan> plan;
    detail::JobView view = {};
    std::string waits = {};
    std::optional<Ended> ended = std::nullopt;
    bool rescales = false;  // while its tasks are ended for that
    std::map<std::string, detail::SavepointReport> savepoints = {};
  };
  struct Opened {
    detail::ClusterJob job;
    detail::LogicalPlan plan;
  };

  ClusterCoordinator(const Config& config, ClusterCoordinatorSettings settings,
                     const Logging& logging);

  void on_leadership(const detail::LeadershipEvent& event);
  void take_lead(LeaderEpoch epoch);
  bool leads(LeaderEpoch epoch) const;
  Status resume(const std::string& id, LeaderEpoch epoch);
  // Calls it again while it is unavailable, as long as this process leads.
  template <class Call>
  auto persist(LeaderEpoch epoch, Call call) -> decltype(call());
  Result<std::optional<detail::JobRecord>> record_of(const std::string& id, LeaderEpoch epoch);
  Result<Submitted> read_submitted(const std::string& id, detail::DocumentVersion& version);
  Status keep(Job& job, LeaderEpoch epoch);
  void give_up(const std::string& id, Submitted submitted, const Error& error);
  Result<LeaderEpoch> leading() const;
  Result<Opened> open(const Submitted& submitted, LeaderEpoch epoch, bool again);
  Status start(Job job, LeaderEpoch epoch, bool again, bool may_run = false);
  void on_view(const std::string& id, const detail::JobView& view);
  void on_waits(const std::string& id, const std::string& reason);
  void on_ended(const std::string& id, const Status& status);
  void keep_result(const std::string& id, const Ended& ended, LeaderEpoch epoch);
  void begin_rescaled(const std::string& id, LeaderEpoch epoch);
  Result<std::string> read_artifact(const std::string& artifact, std::uint64_t offset) const;
  detail::JobReport report_of(const std::string& id, const Job& job) const;
  template <class Use>
  auto with_job(std::string_view id, Use use) -> decltype(use(std::declval<Job&>()));

  const Config config_;
  const ClusterCoordinatorSettings settings_;
  const Logger log_;
  SystemClock clock_;
  detail::RealFileSystem files_;
  std::mutex changes_;  // held while what is kept of a job changes
  mutable std::mutex mutex_;
  std::optional<LeaderEpoch> epoch_;  // while it leads
  detail::LeaderKnown known_;
  std::map<std::string, Job> jobs_;
  std::uint64_t next_savepoint_ = 0;
  detail::HighAvailability shared_;  // ends last: work under way uses it
  std::unique_ptr<detail::CoordinatorSystem> system_;
  ThreadExecutor threads_{2};
  SerialExecutor calls_{threads_};  // what blocks, in its order
};

}  // namespace millrace
