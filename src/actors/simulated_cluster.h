// Runs jobs like the embedded cluster, but on one thread, in virtual time, with a seeded choice of
// which actor runs next: the same seed gives the same run, step by step. Time passes only when
// nobody has anything to do, and then at once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "millrace/plan/cluster.h"

namespace millrace::detail {

class SimulatedCluster final : public Cluster {
 public:
  explicit SimulatedCluster(std::uint64_t seed);
  ~SimulatedCluster() override;

  // The job runs while somebody waits for it.
  Result<std::unique_ptr<RunningJob>> start(ExecutionPlan plan, JobCode code) override;

  // What ran, in order: a number for each actor as it got its turn, 0 where time passed.
  const std::vector<std::uint64_t>& trace() const;

 private:
  struct System;  // keeps CAF out of this header
  std::unique_ptr<System> system_;
};

}  // namespace millrace::detail
