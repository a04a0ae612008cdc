// A worker as an actor. It only routes: what it hears becomes events of Worker, and what that asks
// for becomes messages to the leader, calls of the disk, which block and so go to the executor, and
// orders to the processes.
//
// It owns the links of its process, and has one: with whoever leads. When that is lost it connects
// again, to whoever leads then; nobody connects to it.
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/links/link_messages.h"
#include "millrace/coordination/worker/artifact_cache.h"
#include "millrace/coordination/worker/host_launch.h"
#include "millrace/coordination/worker/host_processes.h"
#include "millrace/coordination/worker/worker.h"
#include "millrace/coordination/worker/worker_directory.h"
#include "millrace/core/executor.h"
#include "millrace/core/ids.h"
#include "millrace/core/log.h"
#include "millrace/core/time.h"

namespace millrace::detail {

// --- to a worker, from the election, its processes, what the executor does, and itself ---

struct LeaderFound {
  LeaderEpoch epoch;
  std::string address;  // a LeaderAddress
};
struct HostGone {
  HostId host;
  Error error;
};
struct ArtifactSeen {
  std::string artifact;
  Result<ArtifactProgress> progress;
};
struct LogsFound {
  LogRead logs;
};
struct ConnectAgain {};
struct CleaningDue {};
// Its processes are gone: be gone too, behind what was heard before.
struct EndWorker {};

// What is borrowed outlives the actor and its work on the executor.
struct WorkerActorSettings {
  std::function<caf::actor(caf::actor owner)> spawn_links;
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  WorkerDirectory* directory = nullptr;
  ArtifactCache* artifacts = nullptr;
  HostProcesses* processes = nullptr;
  Logger log;
  std::uint32_t slots = 1;
  std::string cluster;
  std::string listen;                  // where its hosts do
  std::vector<Setting> host_settings;  // that its hosts have besides the job's
  Duration artifact_retention = std::chrono::hours(1);
  Duration log_retention = std::chrono::hours(7 * 24);
};

class WorkerActor final : public ActorBase {
 public:
  WorkerActor(caf::actor_config& config, WorkerActorSettings settings);

  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  void on_leader(const LeaderFound& found);
  void connect();
  void on_link(const LinkUp& up);
  void on_link_lost(const LinkDown& down);
  void on_leader_lost();
  void note_registered(bool registered);
  void on_no_link(const ConnectFailed& failed);
  void hear(const ControlArrived& arrived);
  void clean();

  void perform(WorkerActions actions);
  void perform(worker_action::Tell& tell);
  void perform(worker_action::Look& look);
  void perform(worker_action::Store& store);
  void perform(worker_action::Launch& launch);
  void perform(worker_action::End& end);
  void perform(worker_action::Redirect& redirect);
  void perform(worker_action::FindLogs& find);
  void perform(worker_action::CleanUp& clean);

  const WorkerActorSettings settings_;
  Worker worker_;
  SerialExecutor disk_;
  caf::actor links_;
  LeaderEpoch epoch_{0};                  // the highest that was heard of
  std::optional<LinkAddress> leader_at_;  // who has that
  std::optional<LinkId> link_;            // to there
  bool complained_ = false;               // that it cannot be reached
};

}  // namespace millrace::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::LeaderFound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::HostGone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ArtifactSeen)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::LogsFound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ConnectAgain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CleaningDue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::EndWorker)
