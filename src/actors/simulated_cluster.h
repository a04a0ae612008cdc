// Runs jobs like the embedded cluster, but on one thread, in virtual time, with a seeded choice of
// which actor runs next: the same seed gives the same run, step by step. Time passes only when
// nobody has anything to do, and then at once.
//
// It can disturb a job, as seeded: have tasks fail as if user code did, end the whole "process"
// between any two steps, and let time pass early, so that whatever waits for a time comes at any
// moment. Or at a time that is chosen, when all that was to be done before it is done.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "millrace/plan/cluster.h"

namespace millrace::detail {

struct Disturbances {
  std::size_t task_failures = 0;  // at most
  std::size_t deaths = 0;         // of the process, at most
  double chance = 0;              // at each step, of each of the two that is left
  double time_passes = 0;         // at each step
  // At the first step from that time on, since the cluster was made: once.
  std::optional<std::chrono::nanoseconds> task_fails_at;
  std::optional<std::chrono::nanoseconds> dies_at;
};

class SimulatedCluster final : public Cluster {
 public:
  explicit SimulatedCluster(std::uint64_t seed, Disturbances disturbances = {});
  ~SimulatedCluster() override;

  // The job runs while somebody waits for it.
  Result<std::unique_ptr<RunningJob>> start(ExecutionPlan plan, JobCode code,
                                            ExecutionSettings settings = {}) override;

  // Runs a job to its end: whenever the process dies, the job is started again from its latest
  // checkpoint.
  Status run(const ExecutionPlan& plan, const JobCode& code, ExecutionSettings settings = {});

  // What ran, in order: a number for each actor as it got its turn, 0 where time passed.
  const std::vector<std::uint64_t>& trace() const;

 private:
  struct System;  // keeps CAF out of this header
  std::unique_ptr<System> system_;
};

}  // namespace millrace::detail
