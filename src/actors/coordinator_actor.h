// The leader of a cluster as an actor. It only routes: workers come over links, what they and jobs
// say becomes events of the Dispatcher, and what that commands becomes messages to workers and to
// the coordinators of jobs, each of which is an actor with links of its own for the job's hosts.
//
// While it does not lead it lets no worker in. When the lead is lost the coordinators of all jobs
// go with it, and nothing is written of their jobs any more.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/coordinator_system.h"
#include "millrace/actors/job_actor.h"
#include "millrace/actors/links/link_messages.h"
#include "millrace/actors/messages.h"
#include "millrace/coordination/dispatcher.h"
#include "millrace/coordination/worker_codec.h"

namespace millrace::detail {

struct CoordinatorSettings {
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  Logger log;
  std::function<caf::actor(caf::actor owner)> spawn_links;  // of the role of a coordinator
  LinkAddress listen;                                       // for workers
  LinkAddress job_listen;             // for hosts; each job has a port of its own
  std::chrono::nanoseconds patience;  // in which hosts of another leader are found
  std::function<void(Result<LinkAddress>)> listening;
  CoordinatorEvents events;
};

// From now on this process leads, or does no more.
struct Lead {
  LeaderEpoch epoch;
};
struct LeadNoMore {};
// All jobs that run already were given to RunJob.
struct JobsKnown {
  LeaderEpoch epoch;
};
// Only a leader does.
struct RunJob {
  ClusterJob job;
};
// To a job of that id. Nothing happens where there is none.
struct CancelJobOf {
  std::string job;
};
struct SavepointOf {
  std::string job;
  SavepointOrder order;
  RunningJob::SavepointTaken done;
};
// Calls done() with what is true now.
struct AskWorkers {
  std::function<void(std::map<std::string, Dispatcher::Room>)> done;
};
struct AskPlaces {
  std::string job;
  std::function<void(std::vector<std::string>)> done;  // the worker of each slot
};
struct AskLog {
  std::string job;
  std::uint64_t bytes = 0;
  std::function<void(std::size_t workers)> asked;
  std::function<void(std::string)> answered;  // called for each of them, unless it is lost
};

class CoordinatorActor final : public ActorBase {
 public:
  CoordinatorActor(caf::actor_config& config, CoordinatorSettings settings);

  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  struct Running {
    ClusterJob job;
    caf::actor registry;  // of its hosts
    caf::actor coordinator;
    std::string address;  // where hosts find it; empty: not known yet
  };

  struct LogRequest {
    LinkId link;  // of the worker that was asked
    std::function<void(std::string)> answered;
  };

  void lead_no_more();
  bool is_from(const std::string& job);
  void run(ClusterJob job);
  void on_job_listening(const std::string& id, const LinkAddress& address);
  void on_job_ended(const std::string& id, const Status& status);

  void on_worker_link(const LinkUp& up);
  void on_link_lost(const LinkDown& down);
  void on_report(LinkId link, WorkerReport report);
  void hear(LinkId link, RegisterWorker& report);
  void hear(LinkId link, HostEnded& report);
  void hear(LinkId link, FetchArtifact& report);
  void hear(LinkId link, LogRead& report);
  void tell(const std::string& worker, const WorkerCommand& command);
  void tell(LinkId link, const WorkerCommand& command);

  void follow(Dispatcher::Commands commands);
  void perform(LaunchHost& launch);
  void perform(EndHost& end);
  void perform(MoveHost& move);
  void perform(GrantSlots& grant);
  void perform(LackSlots& lack);
  void perform(MissHost& miss);

  const CoordinatorSettings settings_;
  LeaderEpoch epoch_;                     // while it leads
  std::optional<Dispatcher> dispatcher_;  // likewise
  caf::actor links_;
  std::map<LinkId, std::string> worker_at_;  // that has said who it is
  std::map<std::string, LinkId> link_of_;
  std::map<std::string, Running> jobs_;
  std::map<std::uint64_t, LogRequest> log_requests_;
  std::uint64_t next_request_ = 0;
};

}  // namespace millrace::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Lead)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::LeadNoMore)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::JobsKnown)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::RunJob)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CancelJobOf)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SavepointOf)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::AskWorkers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::AskPlaces)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::AskLog)
