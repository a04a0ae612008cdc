#include "millrace/actors/worker_process.h"

#include <caf/send.hpp>

#include <algorithm>
#include <thread>

#include "millrace/actors/linked_system.h"
#include "millrace/actors/worker_actor.h"
#include "millrace/coordination/worker/settings.h"
#include "millrace/core/config/options.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kThreads = 1;  // it only routes

}  // namespace

Result<WorkerSettings> worker_settings(const Config& config,
                                       const std::filesystem::path& directory) {
  Result<LinkOptions> links = link_options(config, {Role::kWorker, Role::kHost});
  if (!links) return links.error();
  const std::int64_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  return WorkerSettings{.directory = directory,
                        .cluster = config.get(kClusterId),
                        .id = config.get(kWorkerId),
                        .slots = static_cast<std::uint32_t>(config.get(kTaskSlots).value_or(cores)),
                        .listen = config.get(kWorkerBindHost),
                        .host_settings = link_settings(config),
                        .links = *std::move(links),
                        .cancellation_timeout = config.get(kCancellationTimeout),
                        .artifact_retention = config.get(kArtifactRetention),
                        .log_retention = config.get(kWorkerLogRetention)};
}

struct WorkerProcess::System : LinkedSystem {
  System(const WorkerSettings& settings, WorkerDirectory opened, ArtifactCache cache,
         const Logging& logging)
      : LinkedSystem({.cluster = settings.cluster,
                      .identity = settings.id,
                      .options = settings.links,
                      .threads = kThreads},
                     Role::kWorker, logging.logger("worker")),
        directory(std::move(opened)),
        artifacts(std::move(cache)),
        processes(settings.cancellation_timeout, [this](const HostId& host, const Error& error) {
          caf::anon_send(worker, HostGone{host, error});
        }) {}
  // The leader is still told how the hosts ended.
  ~System() {
    if (election != nullptr) election->resign();
    processes.end_all();
    if (worker) caf::anon_send(worker, EndWorker{});
    finish();
  }

  WorkerDirectory directory;
  ArtifactCache artifacts;
  LeaderElection* election = nullptr;
  caf::actor worker;
  HostProcesses processes;
};

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const WorkerSettings& asked,
                                                            LeaderElection& election,
                                                            const Logging& logging) {
  WorkerSettings settings = asked;
  Result<WorkerDirectory> directory = WorkerDirectory::open(settings.directory);
  if (!directory) return directory.error();
  if (settings.id.empty()) {
    Result<std::string> id = directory->worker_id();
    if (!id) return id.error();
    settings.id = *std::move(id);
  }
  Result<ArtifactCache> artifacts = ArtifactCache::open(directory->artifacts());
  if (!artifacts) return artifacts.error();
  auto system =
      std::make_unique<System>(settings, *std::move(directory), *std::move(artifacts), logging);
  system->worker = system->actors.spawn<WorkerActor>(
      WorkerActorSettings{.spawn_links = system->spawn_links(),
                          .clock = &system->clock,
                          .executor = &system->executor,
                          .directory = &system->directory,
                          .artifacts = &system->artifacts,
                          .processes = &system->processes,
                          .log = system->log,
                          .slots = settings.slots,
                          .cluster = settings.cluster,
                          .listen = settings.listen,
                          .host_settings = settings.host_settings,
                          .artifact_retention = settings.artifact_retention,
                          .log_retention = settings.log_retention});
  system->log.info("worker started", {{"worker", settings.id},
                                      {"slots", settings.slots},
                                      {"directory", settings.directory.native()}});
  system->election = &election;
  election.join("", [worker = system->worker](const LeadershipEvent& event) {
    if (const auto* known = std::get_if<LeaderKnown>(&event)) {
      caf::anon_send(worker, LeaderFound{known->epoch, known->address});
    }
  });
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(std::move(system)));
}

WorkerProcess::WorkerProcess(std::unique_ptr<System> system) : system_(std::move(system)) {}

WorkerProcess::~WorkerProcess() = default;

const std::string& WorkerProcess::id() const { return system_->process.identity; }

}  // namespace millrace::detail
