// A worker in this process: it finds the leader of its cluster by the election, offers slots to it,
// and starts the processes that it asks for. All that it has started ends with it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "millrace/actors/linked_process.h"
#include "millrace/coordination/leader_election.h"
#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/config/config.h"
#include "millrace/core/log.h"
#include "millrace/core/result.h"
#include "millrace/core/time.h"

namespace millrace::detail {

struct WorkerSettings {
  std::filesystem::path directory;
  std::string cluster;
  std::string id;  // in the cluster; empty: one that it keeps in its directory
  std::uint32_t slots = 1;
  std::string listen = "127.0.0.1";         // where its hosts do
  std::vector<Setting> host_settings = {};  // that its hosts have besides the job's
  LinkOptions links = {};
  Duration cancellation_timeout = std::chrono::seconds(30);
  Duration artifact_retention = std::chrono::hours(1);
  Duration log_retention = std::chrono::hours(7 * 24);
};

// Reads the files of TLS too. What cannot be is refused, naming the option.
Result<WorkerSettings> worker_settings(const Config& config,
                                       const std::filesystem::path& directory);

class WorkerProcess {
 public:
  // Joins the election, which outlives it. Fails where its directory cannot be used.
  static Result<std::unique_ptr<WorkerProcess>> start(const WorkerSettings& settings,
                                                      LeaderElection& election,
                                                      const Logging& logging);
  ~WorkerProcess();  // ends its hosts, and waits until they are gone

  const std::string& id() const;

 private:
  struct System;  // keeps CAF out of this header

  explicit WorkerProcess(std::unique_ptr<System> system);

  std::unique_ptr<System> system_;
};

}  // namespace millrace::detail
