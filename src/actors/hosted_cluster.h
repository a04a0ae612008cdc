// Runs a job on hosts in other processes: the coordinator is here, and hosts come over links
// (job_host.h). The job begins when so many as were asked for are there; when some are lost it goes
// on with those that are left, and with those that come.
//
// One job at a time. It has the plan; the code is the hosts'.
#pragma once

#include <memory>

#include "millrace/actors/linked_process.h"
#include "millrace/coordination/placement.h"
#include "millrace/core/log.h"
#include "millrace/plan/cluster.h"

namespace millrace::detail {

struct HostedSettings {
  std::size_t hosts = 1;      // that must be there for the job to begin
  PlaceTasks place = spread;  // asked at each attempt
};

class HostedCluster final : public Cluster {
 public:
  // Fails where it cannot listen.
  static Result<std::unique_ptr<HostedCluster>> make(const LinkedProcess& process,
                                                     HostedSettings settings,
                                                     const Logging& logging);
  ~HostedCluster() override;

  // Where hosts find it, once a job was started.
  const LinkAddress& address() const;

  Result<std::unique_ptr<RunningJob>> start(ExecutionPlan plan, JobCode code,
                                            ExecutionSettings settings = {}) override;

 private:
  struct System;  // keeps CAF out of this header

  explicit HostedCluster(std::unique_ptr<System> system);

  std::unique_ptr<System> system_;
};

}  // namespace millrace::detail
