// A job on several hosts, all in this process: each has an actor system of its own, and everything
// between them goes over real sockets. Hosts can be dropped and come again, and connections cut.
#pragma once

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "integration/jobs.h"
#include "millrace/actors/hosted_cluster.h"
#include "millrace/actors/job_host.h"
#include "millrace/core/random.h"
#include "millrace/core/text.h"

namespace millrace::test_support {

// The ports of both ends of a connection over IPv4; none if the descriptor is no such.
inline std::optional<std::pair<std::uint16_t, std::uint16_t>> ports_of(int descriptor) {
  sockaddr_in own{};
  sockaddr_in peer{};
  socklen_t size = sizeof own;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &size) != 0) return std::nullopt;
  size = sizeof peer;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return std::nullopt;
  if (own.sin_family != AF_INET) return std::nullopt;
  return std::pair(ntohs(own.sin_port), ntohs(peer.sin_port));
}

// The sockets of this process that have a connection.
inline std::vector<int> connected_sockets() {
  std::vector<int> sockets;
  DIR* const folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    const int descriptor = std::atoi(entry->d_name);
    if (descriptor > 2 && ports_of(descriptor)) sockets.push_back(descriptor);
  }
  closedir(folder);
  return sockets;
}

class LinkedHosts {
 public:
  LinkedHosts(std::size_t hosts, const JobFunction& function, JobSettings settings,
              detail::ExecutionSettings execution, detail::PlaceTasks place = detail::spread,
              detail::LinkLimits limits = {})
      : limits_(limits),
        function_(function),
        settings_(settings),
        execution_(std::move(execution)) {
    auto made = detail::HostedCluster::make(process("coordinator"),
                                            {.hosts = hosts, .place = std::move(place)}, logging_);
    check(made.has_value(), "the coordinator cannot listen");
    cluster_ = *std::move(made);
    Result<PlannedJob> job = plan_job(function_, settings_);
    check(job.has_value(), "the job cannot be planned");
    job_ = *cluster_->start(std::move(job->plan), {}, execution_);
    hosts_.resize(hosts);
    for (std::size_t i = 0; i < hosts; ++i) start_host(i);
  }

  detail::RunningJob& job() { return *job_; }
  // Fails a job that does not come to its end.
  Status result(std::chrono::milliseconds time = std::chrono::minutes(2)) {
    if (job_->wait_for(time)) return job_->result();
    job_->cancel();
    const Status ended = job_->result();
    return internal(concat("the job took too long: ", ended ? "" : ended.error().message()));
  }

  std::size_t size() const { return hosts_.size(); }
  detail::JobHost& host(std::size_t i) { return *hosts_[i]; }

  void start_host(std::size_t i) {
    Result<PlannedJob> job = plan_job(function_, settings_);
    detail::HostedJob hosted{.id = JobId(1),
                             .plan = std::move(job->plan),
                             .code = std::move(job->code),
                             .execution = execution_};
    hosts_[i] = std::make_unique<detail::JobHost>(process(concat("host-", i)), std::move(hosted),
                                                  cluster_->address(), logging_);
  }
  void drop_host(std::size_t i) { hosts_[i].reset(); }

  // One of the connections between hosts, or between a host and the coordinator.
  bool cut_connection(Random& random, bool control = false) {
    std::vector<int> sockets = connected_sockets();
    std::erase_if(sockets, [&](int socket) {
      const auto ports = ports_of(socket);
      const std::uint16_t port = cluster_->address().port;
      return !ports || (ports->first == port || ports->second == port) != control;
    });
    if (sockets.empty()) return false;
    return shutdown(sockets[random.below(sockets.size())], SHUT_RDWR) == 0;
  }

 private:
  detail::LinkedProcess process(std::string identity) const {
    return {.cluster = "test",
            .identity = std::move(identity),
            .options = {.limits = limits_},
            .threads = 1,
            .seed = 1};
  }

  Logging logging_{std::getenv("LINKED_HOSTS_LOG") != nullptr ? LogLevel::kDebug : LogLevel::kOff};
  const detail::LinkLimits limits_;
  JobFunction function_;
  JobSettings settings_;
  detail::ExecutionSettings execution_;
  std::unique_ptr<detail::HostedCluster> cluster_;
  std::unique_ptr<detail::RunningJob> job_;
  std::vector<std::unique_ptr<detail::JobHost>> hosts_;
};

}  // namespace millrace::test_support
