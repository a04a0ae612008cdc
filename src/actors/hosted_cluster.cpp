#include "millrace/actors/hosted_cluster.h"

#include <caf/send.hpp>

#include <utility>

#include "millrace/actors/host_registry.h"
#include "millrace/actors/job_actor.h"
#include "millrace/actors/linked_system.h"
#include "millrace/actors/started_job.h"

namespace millrace::detail {

struct HostedCluster::System : LinkedSystem {
  System(const LinkedProcess& self, HostedSettings asked, const Logging& logging)
      : LinkedSystem(self, Role::kCoordinator, logging.logger("actors")),
        settings(std::move(asked)) {}
  ~System() {
    caf::anon_send_exit(registry, caf::exit_reason::user_shutdown);
    finish();
  }

  HostedSettings settings;
  caf::actor registry;
  LinkAddress address;
};

Result<std::unique_ptr<HostedCluster>> HostedCluster::make(const LinkedProcess& process,
                                                           HostedSettings settings,
                                                           const Logging& logging) {
  auto system = std::make_unique<System>(process, std::move(settings), logging);
  FirstListening first;
  system->registry =
      system->actors.spawn<HostRegistry>(HostRegistrySettings{.spawn_links = system->spawn_links(),
                                                              .listen = process.listen,
                                                              .listening = first.listening()});
  const Result<LinkAddress> address = first.wait();
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
