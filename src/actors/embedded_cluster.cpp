#include "millrace/actors/embedded_cluster.h"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "millrace/actors/job_actor.h"
#include "millrace/actors/job_progress.h"
#include "millrace/actors/scheduler.h"
#include "millrace/actors/task_host.h"

namespace millrace::detail {
namespace {

// Of work that blocks: state is written, splits are looked for, the ledger is kept.
constexpr std::size_t kBlockingThreads = 4;

class SystemConfig : public caf::actor_system_config {
 public:
  explicit SystemConfig(std::size_t threads) {
    set("scheduler.max-threads", threads);
    set("scheduler.max-throughput", kMessagesPerTurn);
    load<Scheduler>();
  }
};

// The result of a job, passed from the coordinator's thread to those who wait.
class Outcome {
 public:
  void set(Status status) {
    std::lock_guard lock(mutex_);
    status_ = std::move(status);
    ended_.notify_all();
  }
  bool wait_for(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, time, [&] { return status_.has_value(); });
  }
  Status get() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return status_.has_value(); });
    return *status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::optional<Status> status_;
};

class EmbeddedJob final : public RunningJob {
 public:
  EmbeddedJob(caf::actor coordinator, std::shared_ptr<Outcome> outcome,
              std::vector<WatchedTask> watched)
      : coordinator_(std::move(coordinator)),
        outcome_(std::move(outcome)),
        watched_(std::move(watched)) {}

  bool wait_for(std::chrono::milliseconds time) override { return outcome_->wait_for(time); }
  Status result() override { return outcome_->get(); }
  void savepoint(SavepointOrder order, SavepointTaken done) override {
    caf::anon_send(coordinator_, RequestSavepoint{std::move(order), std::move(done)});
  }
  void cancel() override { caf::anon_send(coordinator_, CancelJob{}); }

  JobProgress progress() const override { return progress_of(watched_); }

 private:
  caf::actor coordinator_;
  std::shared_ptr<Outcome> outcome_;
  std::vector<WatchedTask> watched_;
};

}  // namespace

struct EmbeddedCluster::System {
  System(const EmbeddedSettings& settings, const Logging& logging)
      : seed(settings.seed),
        log(logging.logger("actors")),
        operators_log(logging.logger("operators")),
        config(settings.threads > 0 ? settings.threads
                                    : std::max(std::thread::hardware_concurrency(), 1U)),
        actors(config) {}

  std::uint64_t seed;
  Logger log;
  Logger operators_log;
  SystemClock clock;
  SystemConfig config;
  caf::actor_system actors;
  ThreadExecutor executor{kBlockingThreads};  // ends first: its work holds actors
};

EmbeddedCluster::EmbeddedCluster(EmbeddedSettings settings, const Logging& logging)
    : system_(std::make_unique<System>(settings, logging)) {}

EmbeddedCluster::~EmbeddedCluster() = default;

Result<std::unique_ptr<RunningJob>> EmbeddedCluster::start(ExecutionPlan plan, JobCode code,
                                                           ExecutionSettings execution) {
  if (Status well = check_stores(execution); !well) return well.error();
  auto job = std::make_shared<const DeployedJob>(
      DeployedJob{std::move(plan), std::move(code), system_->seed, system_->operators_log});
  std::vector<TaskBlueprint> blueprints = make_blueprints(job);
  auto outcome = std::make_shared<Outcome>();
  std::vector<WatchedTask> watched = watch(blueprints);
  TaskHostSettings host_settings{.clock = &system_->clock,
                                 .executor = &system_->executor,
                                 .log = system_->log,
                                 .execution = execution};
  JobActorSettings settings{.clock = &system_->clock,
                            .executor = &system_->executor,
                            .log = system_->log,
                            .execution = std::move(execution),
                            .seed = job->seed,
                            .report = [outcome](Status status) { outcome->set(status); }};
  caf::actor coordinator = system_->actors.spawn<JobActor>(
      std::shared_ptr<const ExecutionPlan>(job, &job->plan), std::move(settings));
  caf::anon_send(coordinator, Deploy{system_->actors.spawn<TaskHost>(std::move(blueprints),
                                                                     std::move(host_settings))});
  return std::unique_ptr<RunningJob>(std::make_unique<EmbeddedJob>(
      std::move(coordinator), std::move(outcome), std::move(watched)));
}

}  // namespace millrace::detail
