// What a leader does for its jobs unasked: those that have ended are forgotten after a while, with
// the executables that none needs any more; those that were put off are tried again; those that are
// adaptive take the slots that there are.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "millrace/actors/coordinator_system.h"
#include "millrace/coordination/artifact_store.h"
#include "millrace/core/config/config.h"
#include "millrace/core/executor.h"
#include "millrace/core/log.h"
#include "millrace/core/time.h"
#include "millrace/launch/known_jobs.h"

namespace millrace {

class JobTending {
 public:
  struct Parts {
    const Config& config;
    const Clock& clock;
    const Logger& log;
    KnownJobs& jobs;
    detail::ArtifactStore& artifacts;
    detail::CoordinatorSystem& system;
    std::function<void(const std::string& id, LeaderEpoch epoch)> forget;
    std::function<void(const std::string& id, LeaderEpoch epoch)> try_again;
    std::function<Status(const std::string& id, std::uint32_t parallelism)> rescale;
  };

  explicit JobTending(Parts parts) : parts_(std::move(parts)) {}

  // To be called often, by one thread; has the executor do what is due, and does not block.
  void tend(Executor& executor);

 private:
  // Once at a time, and not again before a pause is over.
  class Turn {
   public:
    bool begin(std::chrono::nanoseconds now, Duration pause);
    void end() { under_way_ = false; }

   private:
    std::chrono::nanoseconds begun_{0};
    std::atomic<bool> under_way_ = false;
  };

  Duration pause_of_tidying() const;
  void tidy();
  void try_again();
  void adapt();
  std::uint32_t adapt_one(const std::string& id, std::uint32_t free, bool anybody_waits);

  const Parts parts_;
  Turn tidying_;
  Turn trying_again_;
  Turn adapting_;
};

}  // namespace millrace
