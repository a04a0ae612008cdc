// A coordinator of a cluster: stands for election, and while it leads has the cluster's jobs run by
// its actors, keeps what must survive it in the documents that all coordinators share, and answers
// whoever asks.
//
//   documents          what was handed in, records of jobs, how they ended (job_documents.h)
//   DIR/artifacts      executables (artifact_store.h)
//   DIR/checkpoints    unless a job names another directory
//
// DIR is shared by all coordinators and workers.
#pragma once

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/actors/coordinator_system.h"
#include "millrace/coordination/artifact_store.h"
#include "millrace/coordination/cluster_control.h"
#include "millrace/coordination/high_availability.h"
#include "millrace/coordination/job_documents.h"
#include "millrace/core/config/config.h"
#include "millrace/core/executor.h"
#include "millrace/core/log.h"
#include "millrace/launch/job_tending.h"
#include "millrace/launch/known_jobs.h"
#include "millrace/launch/opened_job.h"
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

  // Forgets what has expired, and has adaptive jobs take the slots that there are; to be called
  // often, by one thread. It does not block.
  void tend();

 private:
  ClusterCoordinator(const Config& config, ClusterCoordinatorSettings settings,
                     const Logging& logging);

  void on_leadership(const detail::LeadershipEvent& event);
  void take_lead(LeaderEpoch epoch);
  Status resume(const std::string& id, LeaderEpoch epoch);
  enum class Persistence { kWhileUnavailable, kWhateverFails };
  // Calls it again as long as this process leads.
  template <class Call>
  auto persist(LeaderEpoch epoch, Call call,
               Persistence persistence = Persistence::kWhileUnavailable) -> decltype(call());
  Status keep(KnownJob& job, LeaderEpoch epoch);
  Status change(KnownJob job, LeaderEpoch epoch);
  ClusterPlaces places() { return {files_, artifacts_, *shared_.documents, settings_.directory}; }
  detail::JobDocuments documents(LeaderEpoch epoch) { return {*shared_.documents, epoch}; }
  void put_off(KnownJob job, const Error& error, LeaderEpoch epoch);
  KnownJob known_or_new(const std::string& id);
  void try_again(const std::string& id, LeaderEpoch epoch);
  Result<detail::ClusterJob> open_patiently(const KnownJob& job, LeaderEpoch epoch, bool again);
  Status start(KnownJob job, LeaderEpoch epoch, bool again, bool may_run = false);
  void on_view(const std::string& id, const detail::JobView& view);
  void on_waits(const std::string& id, const std::string& reason);
  void on_ended(const std::string& id, const Status& status);
  void keep_end(const std::string& id, const detail::JobEnd& end, LeaderEpoch epoch);
  enum class Wish { kOfPeople, kToAdapt };  // the former says what is wanted from now on
  Result<std::shared_future<Status>> ask_to_rescale(const std::string& id,
                                                    std::uint32_t parallelism, Wish wish);
  void on_rescale_prepared(const std::string& id, const Status& status);
  void begin_rescaled(const std::string& id, LeaderEpoch epoch);
  void clear_checkpoints(const detail::SubmittedJob& submitted, std::string_view phase);
  void forget(const std::string& id, LeaderEpoch epoch);

  const Config config_;
  const ClusterCoordinatorSettings settings_;
  const Logger log_;
  SystemClock clock_;
  detail::RealFileSystem files_;
  detail::ArtifactStore artifacts_;
  std::mutex changes_;  // held while what is kept of a job changes
  KnownJobs jobs_;
  std::atomic<std::uint64_t> next_savepoint_ = 0;
  detail::HighAvailability shared_;  // ends last: work under way uses it
  std::unique_ptr<detail::CoordinatorSystem> system_;
  std::optional<JobTending> tending_;
  ThreadExecutor threads_{2};
  SerialExecutor calls_{threads_};  // what blocks, in its order
};

}  // namespace millrace
