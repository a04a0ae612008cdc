// A job that a coordinator of this process runs, for whoever started it.
#pragma once

#include <caf/actor.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "millrace/actors/job_progress.h"
#include "millrace/plan/cluster.h"

namespace millrace::detail {

// The result of a job, passed from the coordinator's thread to those who wait.
class Outcome {
 public:
  void set(Status status);
  bool wait_for(std::chrono::milliseconds time);
  Status get();

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::optional<Status> status_;
};

class StartedJob final : public RunningJob {
 public:
  // `watched`: the tasks of this process.
  StartedJob(caf::actor coordinator, std::shared_ptr<Outcome> outcome,
             std::vector<WatchedTask> watched);

  bool wait_for(std::chrono::milliseconds time) override { return outcome_->wait_for(time); }
  Status result() override { return outcome_->get(); }
  void savepoint(SavepointOrder order, SavepointTaken done) override;
  void cancel() override;
  JobProgress progress() const override { return progress_of(watched_); }

 private:
  caf::actor coordinator_;
  std::shared_ptr<Outcome> outcome_;
  std::vector<WatchedTask> watched_;
};

}  // namespace millrace::detail
