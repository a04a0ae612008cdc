// Runs jobs inside this process: coordinator and tasks on the threads of one actor system.
#pragma once

#include <cstdint>
#include <memory>

#include "millrace/core/log.h"
#include "millrace/plan/cluster.h"

namespace millrace::detail {

struct EmbeddedSettings {
  std::size_t threads = 0;  // 0: one per core
  std::uint64_t seed = 0;
};

class EmbeddedCluster final : public Cluster {
 public:
  explicit EmbeddedCluster(EmbeddedSettings settings, const Logging& logging);
  ~EmbeddedCluster() override;

  Result<std::unique_ptr<RunningJob>> start(ExecutionPlan plan, JobCode code,
                                            ExecutionSettings settings = {}) override;

 private:
  struct System;  // keeps CAF out of this header
  std::unique_ptr<System> system_;
};

}  // namespace millrace::detail
