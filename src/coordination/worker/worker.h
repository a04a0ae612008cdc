// What a worker does about what it is told: events go in, commands come out. It fetches an
// executable once, however many hosts wait for it; whoever leads at the moment is asked for what is
// missing. It remembers its hosts, and for a while how they ended, so that a new leader learns that
// too.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "millrace/coordination/worker/artifact_cache.h"
#include "millrace/coordination/worker_codec.h"
#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/result.h"

namespace millrace::detail {

namespace worker_action {

struct Tell {
  WorkerReport report;  // to the leader
};
// See what there is of it. Answered with on_artifact(), as the next one is.
struct Look {
  std::string artifact;
  std::uint64_t bytes = 0;
};
struct Store {
  ArtifactPart part;
};
// Start its process. Answered with on_ended(), once that has ended or could not be started.
struct Launch {
  StartHost order;
  std::filesystem::path executable;
};
// End its process.
struct End {
  HostId host;
};
// Tell its process who its job's coordinator is now.
struct Redirect {
  RedirectHost order;
};
struct FindLogs {
  ReadLog order;
};
// The host is gone: its files are not needed any more.
struct CleanUp {
  HostId host;
  std::string artifact;
};

}  // namespace worker_action

using WorkerAction =
    std::variant<worker_action::Tell, worker_action::Look, worker_action::Store,
                 worker_action::Launch, worker_action::End, worker_action::Redirect,
                 worker_action::FindLogs, worker_action::CleanUp>;
using WorkerActions = std::vector<WorkerAction>;

class Worker {
 public:
  explicit Worker(std::uint32_t slots) : slots_(slots) {}

  // There is a link to a leader, or whoever it leads to has been elected anew.
  WorkerActions on_leader();
  void on_leader_lost() { has_leader_ = false; }
  WorkerActions hear(WorkerCommand command);

  WorkerActions on_artifact(const std::string& artifact, const Result<ArtifactProgress>& progress);
  WorkerActions on_ended(const HostId& host, const Error& error);

  std::set<HostId> hosts() const;
  std::set<std::string> artifacts() const;  // that hosts use or wait for

 private:
  struct Host {
    StartHost order;
    bool launched = false;
  };

  void follow(StartHost& start, WorkerActions& out);
  void follow(StopHost& stop, WorkerActions& out);
  void follow(RedirectHost& redirect, WorkerActions& out);
  void follow(ArtifactPart& part, WorkerActions& out);
  void follow(ReadLog& read, WorkerActions& out);
  void fetch(const std::string& artifact, std::uint64_t offset, WorkerActions& out);
  void launch(const std::string& artifact, const std::filesystem::path& file, WorkerActions& out);
  void drop(const HostId& host, const Error& error, WorkerActions& out);
  void tell_ended(HostEnded ended, WorkerActions& out);
  std::vector<HostId> waiting_for(const std::string& artifact) const;

  const std::uint32_t slots_;
  bool has_leader_ = false;
  std::map<HostId, Host> hosts_;
  std::map<std::string, std::uint64_t> fetching_;  // from where on
  std::deque<HostEnded> untold_;                   // while nobody led
};

}  // namespace millrace::detail
