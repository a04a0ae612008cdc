#include "millrace/actors/job_host.h"

#include <caf/send.hpp>

#include <future>

#include "millrace/actors/linked_system.h"
#include "millrace/actors/started_job.h"
#include "millrace/actors/task_host.h"

namespace millrace::detail {

struct JobHost::System : LinkedSystem {
  System(const LinkedProcess& self, const Logging& logging)
      : LinkedSystem(self, Role::kHost, logging.logger("actors")),
        operators_log(logging.logger("operators")) {}
  ~System() {
    caf::anon_send_exit(links, caf::exit_reason::kill);
    caf::anon_send_exit(host, caf::exit_reason::kill);
    finish();
  }

  Logger operators_log;
  std::shared_ptr<BytePool> pool = std::make_shared<BytePool>();
  std::shared_ptr<LinkMetrics> metrics = std::make_shared<LinkMetrics>();
  std::shared_ptr<Outcome> outcome = std::make_shared<Outcome>();
  caf::actor links;
  caf::actor host;
};

JobHost::JobHost(const LinkedProcess& process, HostedJob job, const LinkAddress& coordinator,
                 const Logging& logging)
    : system_(std::make_unique<System>(process, logging)) {
  System& system = *system_;
  auto deployed = std::make_shared<const DeployedJob>(
      DeployedJob{std::move(job.plan), std::move(job.code), process.seed, system.operators_log});
  TaskHostSettings settings{
      .clock = &system.clock,
      .executor = &system.executor,
      .log = system.log,
      .execution = std::move(job.execution),
      .identity = process.identity,
      .crash_page = job.crash_page,
      .linked = LinkedHost{.job = job.id,
                           .spawn_links = {},
                           .pool = system.pool,
                           .ended = {},
                           .outlives_coordinator = job.outlives_coordinator,
                           .plan = job.mark,
                           .heartbeat = process.options.limits.heartbeat.interval}};
  std::promise<caf::actor> links;
  settings.linked->spawn_links = [&](const caf::actor& owner) {
    LinkSettings shared = system.links_of(owner);
    shared.pool = system.pool;
    shared.metrics = system.metrics;
    caf::actor spawned = spawn_links(system.actors, std::move(shared));
    links.set_value(spawned);
    return spawned;
  };
  settings.linked->ended = [outcome = system.outcome](const Error& error) { outcome->set(error); };
  system.host = system.actors.spawn<TaskHost>(make_blueprints(deployed), std::move(settings));
  system.links = links.get_future().get();
  caf::anon_send(system.host, ServeOver{process.listen, coordinator});
}

JobHost::~JobHost() = default;

void JobHost::follow(LeaderEpoch epoch, const LinkAddress& coordinator) {
  caf::anon_send(system_->host, FollowCoordinator{epoch, coordinator});
}

bool JobHost::wait_for(std::chrono::milliseconds time) { return system_->outcome->wait_for(time); }

Error JobHost::reason() const { return system_->outcome->get().error(); }

std::uint64_t JobHost::bytes_sent() const { return system_->metrics->bytes_sent; }

std::uint64_t JobHost::frames_of_ended_attempts() const {
  return system_->metrics->frames_of_ended_attempts;
}

}  // namespace millrace::detail
