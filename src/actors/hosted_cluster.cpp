#include "millrace/actors/hosted_cluster.h"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <future>

#include "millrace/actors/host_registry.h"
#include "millrace/actors/job_actor.h"
#include "millrace/actors/links/link_actor.h"
#include "millrace/actors/started_job.h"
#include "millrace/actors/system_config.h"

namespace millrace::detail {

struct HostedCluster::System {
  System(const LinkedProcess& self, HostedSettings asked, const Logging& logging)
      : process(self),
        settings(std::move(asked)),
        log(logging.logger("actors")),
        config(self.threads),
        actors((prepare_for_links(config), config)) {}
  // Actors use the executor as long as they are there, and its work may hold them beyond that.
  ~System() {
    caf::anon_send_exit(registry, caf::exit_reason::user_shutdown);
    actors.await_all_actors_done();
    executor.finish();
  }

  caf::actor spawn_links(const caf::actor& owner) {
    return detail::spawn_links(actors, {.owner = owner,
                                        .self = process.hello(Role::kCoordinator),
                                        .limits = process.options.limits,
                                        .clock = &clock,
                                        .executor = &executor,
                                        .tls = process.options.tls,
                                        .allow_plaintext = process.options.allow_plaintext,
                                        .log = log});
  }

  LinkedProcess process;
  HostedSettings settings;
  Logger log;
  SystemClock clock;
  SystemConfig config;
  caf::actor_system actors;
  ThreadExecutor executor{kBlockingThreads};  // ends first: its work holds actors
  caf::actor registry;
  LinkAddress address;
};

Result<std::unique_ptr<HostedCluster>> HostedCluster::make(const LinkedProcess& process,
                                                           HostedSettings settings,
                                                           const Logging& logging) {
  auto system = std::make_unique<System>(process, std::move(settings), logging);
  auto listening = std::make_shared<std::promise<Result<LinkAddress>>>();
  system->registry = system->actors.spawn<HostRegistry>(HostRegistrySettings{
      .spawn_links =
          [made = system.get()](const caf::actor& owner) { return made->spawn_links(owner); },
      .listen = process.listen,
      .listening =
          [listening, told = false](Result<LinkAddress> address) mutable {
            if (!std::exchange(told, true)) listening->set_value(std::move(address));
          }});
  const Result<LinkAddress> address = listening->get_future().get();
  if (!address) return address.error();
  system->address = *address;
  return std::unique_ptr<HostedCluster>(new HostedCluster(std::move(system)));
}

HostedCluster::HostedCluster(std::unique_ptr<System> system) : system_(std::move(system)) {}

HostedCluster::~HostedCluster() = default;

const LinkAddress& HostedCluster::address() const { return system_->address; }

Result<std::unique_ptr<RunningJob>> HostedCluster::start(ExecutionPlan plan, JobCode,
                                                         ExecutionSettings execution) {
  if (Status well = check_stores(execution); !well) return well.error();
  auto outcome = std::make_shared<Outcome>();
  JobActorSettings settings{.clock = &system_->clock,
                            .executor = &system_->executor,
                            .log = system_->log,
                            .execution = std::move(execution),
                            .seed = system_->process.seed,
                            .hosts = system_->settings.hosts,
                            .place = system_->settings.place,
                            .report = [outcome](Status status) { outcome->set(status); }};
  caf::actor coordinator = system_->actors.spawn<JobActor>(
      std::make_shared<const ExecutionPlan>(std::move(plan)), std::move(settings));
  caf::anon_send(system_->registry, Serve{coordinator});
  return std::unique_ptr<RunningJob>(std::make_unique<StartedJob>(
      std::move(coordinator), std::move(outcome), std::vector<WatchedTask>()));
}

}  // namespace millrace::detail
