#include "millrace/actors/worker_actor.h"

#include <caf/send.hpp>

#include "millrace/coordination/worker/settings.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::chrono::milliseconds kPauseBetweenAttempts{250};
constexpr std::chrono::minutes kPauseBetweenCleanings{10};

}  // namespace

WorkerActor::WorkerActor(caf::actor_config& config, WorkerActorSettings settings)
    : ActorBase(config),
      settings_(std::move(settings)),
      worker_(settings_.slots),
      disk_(*settings_.executor) {}

caf::behavior WorkerActor::make_behavior() {
  links_ = settings_.spawn_links(caf::actor_cast<caf::actor>(this));
  delayed_send(this, kPauseBetweenCleanings, CleaningDue{});
  return {
      [this](const LeaderFound& found) { on_leader(found); },
      [this](ConnectAgain) { connect(); },
      [this](const LinkUp& up) { on_link(up); },
      [this](const LinkDown& down) { on_link_lost(down); },
      [this](const ConnectFailed& failed) { on_no_link(failed); },
      [this](const ControlArrived& arrived) { hear(arrived); },
      [this](const ArtifactSeen& seen) {
        perform(worker_.on_artifact(seen.artifact, seen.progress));
      },
      [this](const HostGone& gone) {
        settings_.log.info("host ended", {{"host", gone.host}, {"how", gone.error.message()}});
        perform(worker_.on_ended(gone.host, gone.error));
      },
      [this](LogsFound& found) { perform({worker_action::Tell{std::move(found.logs)}}); },
      [this](CleaningDue) {
        delayed_send(this, kPauseBetweenCleanings, CleaningDue{});
        clean();
      },
      [this](EndWorker) { quit(); },
      [](const LinkCongested&) {},
      [](const ProgressArrived&) {},
  };
}

void WorkerActor::on_exit() {
  if (links_) caf::anon_send(links_, StopLinks{});
  links_ = nullptr;
}

// --- the leader ---

void WorkerActor::on_leader(const LeaderFound& found) {
  if (found.epoch < epoch_) return;
  const Result<LeaderAddress> address = parse_leader_address(found.address);
  const Result<LinkAddress> at = address ? parse_link_address(address->links) : address.error();
  if (!at) {
    settings_.log.error("the leader cannot be found",
                        {{"epoch", found.epoch}, {"why", at.error().message()}});
    return;
  }
  settings_.log.info("a coordinator leads", {{"epoch", found.epoch}, {"address", address->links}});
  epoch_ = found.epoch;
  complained_ = false;
  if (link_ && leader_at_ == *at) return perform(worker_.on_leader());
  leader_at_ = *at;
  if (link_) {
    send(links_, CloseLink{*link_, cancelled("another coordinator leads")});
    on_leader_lost();
  }
  connect();
}

void WorkerActor::connect() {
  if (leader_at_ && !link_) send(links_, ConnectLink{*leader_at_, {Role::kCoordinator, ""}});
}

void WorkerActor::on_link(const LinkUp& up) {
  if (up.address != leader_at_) {
    return send(links_, CloseLink{up.link, cancelled("another coordinator leads")});
  }
  link_ = up.link;
  complained_ = false;
  settings_.log.info("registered with the leader", {{"leader", up.peer.identity}});
  note_registered(true);
  perform(worker_.on_leader());
}

void WorkerActor::on_link_lost(const LinkDown& down) {
  if (down.link != link_) return;
  settings_.log.warn("the link to the leader is lost", {{"why", down.error.message()}});
  on_leader_lost();
  delayed_send(this, kPauseBetweenAttempts, ConnectAgain{});
}

void WorkerActor::on_leader_lost() {
  link_.reset();
  note_registered(false);
  worker_.on_leader_lost();
}

void WorkerActor::note_registered(bool registered) {
  disk_.execute(
      [registered, directory = settings_.directory] { directory->note_registered(registered); });
}

void WorkerActor::on_no_link(const ConnectFailed& failed) {
  if (failed.address != leader_at_ || link_) return;
  if (!std::exchange(complained_, true)) {
    settings_.log.warn("the leader cannot be reached, which is tried again and again",
                       {{"why", failed.error.message()}});
  }
  delayed_send(this, kPauseBetweenAttempts, ConnectAgain{});
}

// What cannot be read ends the link: nothing that was said may be lost in silence.
void WorkerActor::hear(const ControlArrived& arrived) {
  if (arrived.link != link_) return;
  Result<WorkerCommand> command = decode_worker_command(arrived.frame.body());
  if (!command) return send(links_, CloseLink{arrived.link, command.error()});
  perform(worker_.hear(*std::move(command)));
}

// --- what it does ---

void WorkerActor::clean() {
  const Timestamp now = settings_.clock->now();
  disk_.execute([directory = settings_.directory, artifacts = settings_.artifacts,
                 used = worker_.artifacts(), hosts = worker_.hosts(),
                 artifacts_before = now - settings_.artifact_retention,
                 logs_before = now - settings_.log_retention] {
    artifacts->remove_unused(used, artifacts_before);
    directory->remove_old_logs(hosts, logs_before);
    directory->remove_old_copies(hosts, artifacts_before);
  });
}

void WorkerActor::perform(WorkerActions actions) {
  for (WorkerAction& action : actions) {
    std::visit([this](auto& alternative) { perform(alternative); }, action);
  }
}

void WorkerActor::perform(worker_action::Tell& tell) {
  if (!link_) return;
  const Result<std::string> body = encode(tell.report);
  std::string frame;
  Status framed = body ? append_frame(FrameKind::kControl, *body, frame) : Status(body.error());
  if (!framed) return send(links_, CloseLink{*link_, framed.error()});
  send(links_, SendFrame{*link_, std::move(frame)});
}

void WorkerActor::perform(worker_action::Look& look) {
  disk_.execute([look, artifacts = settings_.artifacts, self = caf::actor_cast<caf::actor>(this)] {
    caf::anon_send(self,
                   ArtifactSeen{look.artifact, artifacts->look_for(look.artifact, look.bytes)});
  });
}

void WorkerActor::perform(worker_action::Store& store) {
  disk_.execute([part = std::move(store.part), artifacts = settings_.artifacts,
                 self = caf::actor_cast<caf::actor>(this)] {
    const Result<std::optional<ArtifactProgress>> progress = artifacts->add(part);
    if (!progress) {
      caf::anon_send(self, ArtifactSeen{part.artifact, progress.error()});
    } else if (*progress) {
      caf::anon_send(self, ArtifactSeen{part.artifact, **progress});
    }
  });
}

void WorkerActor::perform(worker_action::Launch& launch) {
  StartHost& order = launch.order;
  settings_.log.info("host starts", {{"host", order.host}, {"executable", order.artifact}});
  HostLaunch record{.cluster = settings_.cluster,
                    .host = order.host,
                    .listen = settings_.listen,
                    .coordinator = std::move(order.coordinator),
                    .plan = std::move(order.plan),
                    .settings = settings_in_process(order.settings, settings_.host_settings),
                    .checkpoints = std::move(order.checkpoints)};
  WorkerDirectory& directory = *settings_.directory;
  HostProgram program{.host = order.host,
                      .program = {.executable = std::move(launch.executable),
                                  .arguments = std::move(order.arguments),
                                  .directory = std::move(order.directory),
                                  .output = directory.log_file(order.host)},
                      .crash_page = directory.crash_page(order.host)};
  program.program.arguments.insert(program.program.arguments.begin(),
                                   concat("--host=", directory.launch_file(order.host).native()));
  disk_.execute([record = std::move(record), program = std::move(program), &directory,
                 processes = settings_.processes, self = caf::actor_cast<caf::actor>(this)] {
    Status prepared = directory.prepare(record);
    if (prepared) return processes->start(program);
    caf::anon_send(self, HostGone{program.host, prepared.error()});
  });
}

void WorkerActor::perform(worker_action::End& end) {
  // Behind its start, which may still wait for the disk.
  disk_.execute([host = end.host, processes = settings_.processes] { processes->end(host); });
}

void WorkerActor::perform(worker_action::Redirect& redirect) {
  disk_.execute([order = redirect.order, processes = settings_.processes] {
    processes->tell(order.host, host_word(order));
  });
}

void WorkerActor::perform(worker_action::FindLogs& find) {
  disk_.execute([order = find.order, directory = settings_.directory,
                 self = caf::actor_cast<caf::actor>(this)] {
    caf::anon_send(self,
                   LogsFound{{order.request, directory->end_of_logs(order.job, order.bytes)}});
  });
}

void WorkerActor::perform(worker_action::CleanUp& clean) {
  disk_.execute([host = clean.host, artifact = clean.artifact, artifacts = settings_.artifacts,
                 directory = settings_.directory] {
    artifacts->touch(artifact);
    directory->remove(host);
  });
}

}  // namespace millrace::detail
