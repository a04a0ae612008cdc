// The actors of a coordinator's process, for whoever is none: CoordinatorActor and what it needs.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "millrace/actors/linked_process.h"
#include "millrace/coordination/checkpoint_history.h"
#include "millrace/coordination/dispatcher.h"
#include "millrace/coordination/job_state.h"
#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/log.h"
#include "millrace/plan/cluster.h"
#include "millrace/plan/execution_plan.h"

namespace millrace::detail {

// What the subtasks of a task have done together, as far as their hosts have said.
struct TaskCounts {
  std::uint64_t records_in = 0;
  std::uint64_t records_out = 0;

  bool operator==(const TaskCounts&) const = default;
};
// What is to be seen of a job from outside.
struct JobView {
  JobState state = JobState::kStarting;
  std::uint64_t attempt = 0;
  std::uint64_t completed_checkpoints = 0;    // by this coordinator, or found by it
  std::vector<CheckpointReport> checkpoints;  // the last ones, the newest last
  std::string trouble;                        // the last failure
  std::vector<TaskCounts> tasks;              // by TaskId

  bool operator==(const JobView&) const = default;
};

// A job that is to run.
struct ClusterJob {
  std::string id;
  LeaderEpoch epoch;       // of the leader that runs it
  bool has_run = false;    // all of its tasks, once
  bool may_run = false;    // its tasks may run still
  std::uint64_t mark = 0;  // of its plan, as its hosts know it
  std::shared_ptr<const ExecutionPlan> plan;
  ExecutionSettings execution;
  std::shared_ptr<void> stores;                           // that the settings borrow
  std::optional<std::chrono::nanoseconds> stabilization;  // if it is adaptive
  StartHost host;  // what each of its hosts is told, but for its number and whom to find
};

// Called by actors, on any thread; they do not block.
struct CoordinatorEvents {
  std::function<void(const std::string& job, const JobView&)> watch;
  // Why it has no slots; empty: it has.
  std::function<void(const std::string& job, const std::string& reason)> waits;
  std::function<void(const std::string& job, const Status&)> ended;
  // A part of an executable, from an offset on; nothing behind its end. May block.
  std::function<Result<std::string>(const std::string& artifact, std::uint64_t offset)>
      read_artifact;
};

class CoordinatorSystem {
 public:
  // Listens for workers where the process says, and for hosts of each job on any free port there.
  static Result<std::unique_ptr<CoordinatorSystem>> make(const LinkedProcess& process,
                                                         CoordinatorEvents events,
                                                         const Logging& logging);
  ~CoordinatorSystem();

  const LinkAddress& address() const;

  void lead(LeaderEpoch epoch);
  void lead_no_more();
  // All jobs whose tasks may run still were given to run().
  void jobs_known(LeaderEpoch epoch);

  // Only a leader has jobs; nothing happens where there is no such job.
  void run(ClusterJob job);
  void cancel(const std::string& job);
  void savepoint(const std::string& job, SavepointOrder order, RunningJob::SavepointTaken done);

  // These wait for the answer.
  std::map<std::string, Dispatcher::Room> workers() const;
  std::vector<std::string> workers_of(const std::string& job) const;  // each slot's
  // The end of what the job's processes have said, worker by worker, as far as workers answer.
  std::string log(const std::string& job, std::uint64_t bytes,
                  std::chrono::milliseconds wait) const;

 private:
  struct System;  // keeps CAF out of this header
  explicit CoordinatorSystem(std::unique_ptr<System> system);

  std::unique_ptr<System> system_;
};

}  // namespace millrace::detail
