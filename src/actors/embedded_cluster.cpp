#include "millrace/actors/embedded_cluster.h"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include "millrace/actors/job_actor.h"
#include "millrace/actors/started_job.h"
#include "millrace/actors/system_config.h"
#include "millrace/actors/task_host.h"

namespace millrace::detail {

struct EmbeddedCluster::System {
  System(const EmbeddedSettings& settings, const Logging& logging)
      : seed(settings.seed),
        log(logging.logger("actors")),
        operators_log(logging.logger("operators")),
        config(settings.threads),
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
  caf::anon_send(system_->actors.spawn<TaskHost>(std::move(blueprints), std::move(host_settings)),
                 Serve{coordinator});
  return std::unique_ptr<RunningJob>(
      std::make_unique<StartedJob>(std::move(coordinator), std::move(outcome), std::move(watched)));
}

}  // namespace millrace::detail
