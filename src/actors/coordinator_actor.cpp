#include "millrace/actors/coordinator_actor.h"

#include <caf/send.hpp>

#include <algorithm>

#include "millrace/actors/host_registry.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::chrono::milliseconds kPauseOfListening{500};

struct JobListening {
  LeaderEpoch epoch;
  std::string job;
  LinkAddress address;
};
struct JobEnded {
  LeaderEpoch epoch;
  std::string job;
  Status status;
};

}  // namespace
}  // namespace millrace::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::JobListening)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::JobEnded)

namespace millrace::detail {

CoordinatorActor::CoordinatorActor(caf::actor_config& config, CoordinatorSettings settings)
    : ActorBase(config), settings_(std::move(settings)) {}

caf::behavior CoordinatorActor::make_behavior() {
  links_ = settings_.spawn_links(caf::actor_cast<caf::actor>(this));
  send(links_, Listen{settings_.listen});
  return {
      [this](const Listening& listening) { settings_.listening(listening.address); },
      [this](const LinkUp& up) { on_worker_link(up); },
      [this](const LinkDown& down) { on_link_lost(down); },
      [](const LinkCongested&) {},
      [](const LinkRelieved&) {},
      [](const ProgressArrived&) {},
      [this](ControlArrived& arrived) {
        Result<WorkerReport> report = decode_worker_report(arrived.frame.body());
        if (!report) return send(links_, CloseLink{arrived.link, report.error()});
        on_report(arrived.link, *std::move(report));
      },
      [this](const Lead& lead) {
        epoch_ = lead.epoch;
        dispatcher_.emplace(lead.epoch);
      },
      [this](LeadNoMore) { lead_no_more(); },
      [this](const JobsKnown& known) {
        if (dispatcher_ && known.epoch == epoch_) follow(dispatcher_->jobs_known());
      },
      [this](RunJob& run_job) { run(std::move(run_job.job)); },
      [this](const JobListening& listening) {
        if (listening.epoch == epoch_) on_job_listening(listening.job, listening.address);
      },
      [this](const JobEnded& ended) {
        if (ended.epoch == epoch_) on_job_ended(ended.job, ended.status);
      },
      [this](const NeedSlots& need) {
        if (is_from(need.job)) follow(dispatcher_->need_slots(need.job, need.slots));
      },
      [this](const SeekHosts& seek) {
        if (is_from(seek.job)) follow(dispatcher_->seek_hosts(seek.job));
      },
      [this](const KeepHosts& keep) {
        if (!is_from(keep.job)) return;
        std::vector<HostId> host_of;
        for (const std::string& host : keep.host_of) host_of.push_back(*parse_host_id(host));
        follow(dispatcher_->keep_hosts(keep.job, host_of));
      },
      [this](const HostGivenUp& given_up) {
        const HostId host = *parse_host_id(given_up.host);
        if (is_from(host.job)) follow(dispatcher_->give_up_host(host));
      },
      [this](const CancelJobOf& cancel) {
        const auto job = jobs_.find(cancel.job);
        if (job != jobs_.end()) send(job->second.coordinator, CancelJob{});
      },
      [this](SavepointOf& savepoint) {
        const auto job = jobs_.find(savepoint.job);
        if (job == jobs_.end()) return savepoint.done(not_found("the job has ended"));
        send(job->second.coordinator,
             RequestSavepoint{std::move(savepoint.order), std::move(savepoint.done)});
      },
      [this](const AskWorkers& ask) {
        ask.done(dispatcher_ ? dispatcher_->workers() : std::map<std::string, Dispatcher::Room>());
      },
      [this](const AskPlaces& ask) {
        ask.done(dispatcher_ ? dispatcher_->workers_of(ask.job) : std::vector<std::string>());
      },
      [this](const AskLog& ask) {
        ask.asked(link_of_.size());
        for (const auto& [worker, link] : link_of_) {
          log_requests_.emplace(++next_request_, LogRequest{link, ask.answered});
          tell(link, ReadLog{next_request_, ask.job, ask.bytes});
        }
      },
  };
}

void CoordinatorActor::on_exit() {
  lead_no_more();
  if (links_) caf::anon_send(links_, StopLinks{});
  links_ = nullptr;
}

void CoordinatorActor::lead_no_more() {
  for (const auto& [id, job] : jobs_) {
    caf::anon_send_exit(job.coordinator, caf::exit_reason::kill);
    caf::anon_send_exit(job.registry, caf::exit_reason::user_shutdown);
  }
  for (const auto& [link, worker] : worker_at_) {
    caf::anon_send(links_, CloseLink{link, unavailable("this coordinator leads no more")});
  }
  jobs_.clear();
  worker_at_.clear();
  link_of_.clear();
  dispatcher_.reset();
  log_requests_.clear();
}

// --- jobs ---

// And not from the actor that the job had when this process led under an earlier epoch.
bool CoordinatorActor::is_from(const std::string& id) {
  const auto job = jobs_.find(id);
  return job != jobs_.end() && current_sender() == job->second.coordinator;
}

void CoordinatorActor::run(ClusterJob job) {
  const std::string id = job.id;
  if (!dispatcher_ || job.epoch != epoch_ || jobs_.contains(id)) return;
  const auto self = caf::actor_cast<caf::actor>(this);
  const caf::actor registry = spawn<HostRegistry>(
      HostRegistrySettings{.spawn_links = settings_.spawn_links,
                           .listen = settings_.job_listen,
                           .listening =
                               [self, epoch = epoch_, id](const Result<LinkAddress>& address) {
                                 caf::anon_send(self, JobListening{epoch, id, *address});
                               },
                           .pause = kPauseOfListening,
                           .log = settings_.log,
                           .job = id});
  JobActorSettings settings{
      .clock = settings_.clock,
      .executor = settings_.executor,
      .log = settings_.log,
      .execution = job.execution,
      .stores = job.stores,
      .slots = self,
      .has_run = job.has_run,
      .takeover =
          job.may_run ? std::optional(Takeover{job.mark, settings_.patience}) : std::nullopt,
      .key = id,
      .watch = [watch = settings_.events.watch, id](const JobView& view) { watch(id, view); },
      .report =
          [self, epoch = epoch_, id](Status status) {
            caf::anon_send(self, JobEnded{epoch, id, status});
          }};
  const caf::actor coordinator = spawn<JobActor>(job.plan, std::move(settings));
  send(registry, Serve{coordinator});
  if (job.may_run) dispatcher_->expect_hosts(id);
  jobs_.emplace(id, Running{std::move(job), registry, coordinator, {}});
}

// Hosts are told where to find it, so none is needed before.
void CoordinatorActor::on_job_listening(const std::string& id, const LinkAddress& address) {
  const auto job = jobs_.find(id);
  if (job == jobs_.end()) return;
  job->second.address = to_string(address);
  send(job->second.coordinator, StartJob{});
}

void CoordinatorActor::on_job_ended(const std::string& id, const Status& status) {
  const auto job = jobs_.extract(id);
  if (job.empty()) return;
  send_exit(job.mapped().coordinator, caf::exit_reason::user_shutdown);
  send_exit(job.mapped().registry, caf::exit_reason::user_shutdown);
  follow(dispatcher_->release(id));
  settings_.events.ended(id, status);
}

// --- workers ---

void CoordinatorActor::on_worker_link(const LinkUp& up) {
  if (up.peer.role != Role::kWorker || !dispatcher_) {
    return send(links_,
                CloseLink{up.link, unavailable(dispatcher_ ? "only workers are expected here"
                                                           : "this coordinator does not lead")});
  }
  worker_at_[up.link] = up.peer.identity;
}

void CoordinatorActor::on_link_lost(const LinkDown& down) {
  const auto worker = worker_at_.extract(down.link);
  if (worker.empty()) return;
  std::erase_if(log_requests_,
                [&](const auto& request) { return request.second.link == down.link; });
  const auto link = link_of_.find(worker.mapped());
  if (link == link_of_.end() || link->second != down.link) return;
  link_of_.erase(link);
  const Error lost = unavailable(
      concat("worker ", in_quotes(worker.mapped()), " is lost: ", down.error.message()));
  settings_.log.warn("worker lost", {{"worker", worker.mapped()}, {"error", down.error.message()}});
  follow(dispatcher_->worker_lost(worker.mapped(), lost));
}

void CoordinatorActor::on_report(LinkId link, WorkerReport report) {
  if (!worker_at_.contains(link)) return;
  std::visit([&](auto& alternative) { hear(link, alternative); }, report);
}

void CoordinatorActor::hear(LinkId link, RegisterWorker& report) {
  const std::string& worker = worker_at_[link];
  link_of_[worker] = link;
  settings_.log.info("worker registered", {{"worker", worker}, {"slots", report.slots}});
  follow(dispatcher_->worker_came(worker, report.slots, report.hosts));
}

void CoordinatorActor::hear(LinkId link, HostEnded& report) {
  settings_.log.info("host ended",
                     {{"host", to_string(report.host)}, {"error", report.error.message()}});
  follow(dispatcher_->host_ended(worker_at_[link], report.host, report.error));
}

void CoordinatorActor::hear(LinkId link, FetchArtifact& report) {
  settings_.executor->execute(
      [links = links_, link, report, read = settings_.events.read_artifact] {
        ArtifactPart part{
            .artifact = report.artifact, .offset = report.offset, .bytes = {}, .error = {}};
        Result<std::string> bytes = read(report.artifact, report.offset);
        if (bytes) {
          part.bytes = *std::move(bytes);
        } else {
          part.error = bytes.error();
        }
        const Result<std::string> body = encode(WorkerCommand(std::move(part)));
        std::string frame;
        if (body && append_frame(FrameKind::kControl, *body, frame)) {
          caf::anon_send(links, SendFrame{link, std::move(frame)});
        }
      });
}

void CoordinatorActor::hear(LinkId, LogRead& report) {
  const auto request = log_requests_.extract(report.request);
  if (!request.empty()) request.mapped().answered(std::move(report.text));
}

void CoordinatorActor::tell(const std::string& worker, const WorkerCommand& command) {
  const auto link = link_of_.find(worker);
  if (link != link_of_.end()) tell(link->second, command);
}

void CoordinatorActor::tell(LinkId link, const WorkerCommand& command) {
  const Result<std::string> body = encode(command);
  std::string frame;
  const Status framed =
      body ? append_frame(FrameKind::kControl, *body, frame) : Status(body.error());
  if (!framed) return send(links_, CloseLink{link, framed.error()});
  send(links_, SendFrame{link, std::move(frame)});
}

// --- what the dispatcher commands ---

void CoordinatorActor::follow(Dispatcher::Commands commands) {
  for (DispatchCommand& command : commands) {
    std::visit([this](auto& alternative) { perform(alternative); }, command);
  }
}

void CoordinatorActor::perform(LaunchHost& launch) {
  const auto job = jobs_.find(launch.host.job);
  if (job == jobs_.end()) return;
  StartHost start = job->second.job.host;
  start.host = launch.host;
  start.coordinator = job->second.address;
  tell(launch.worker, std::move(start));
}

void CoordinatorActor::perform(EndHost& end) { tell(end.worker, StopHost{end.host}); }

void CoordinatorActor::perform(MoveHost& move) {
  const auto job = jobs_.find(move.host.job);
  if (job == jobs_.end()) return;
  tell(move.worker, RedirectHost{move.host, epoch_, job->second.address});
}

void CoordinatorActor::perform(GrantSlots& grant) {
  const auto job = jobs_.find(grant.job);
  if (job == jobs_.end()) return;
  SlotsGranted granted;
  for (const HostId& host : grant.host_of) granted.host_of.push_back(to_string(host));
  settings_.events.waits(grant.job, {});
  send(job->second.coordinator, std::move(granted));
}

void CoordinatorActor::perform(LackSlots& lack) { settings_.events.waits(lack.job, lack.reason); }

void CoordinatorActor::perform(MissHost& miss) {
  const auto job = jobs_.find(miss.host.job);
  if (job == jobs_.end()) return;
  send(job->second.coordinator, HostMissed{to_string(miss.host), miss.error});
}

}  // namespace millrace::detail
