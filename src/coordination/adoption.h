// What becomes known of a job's tasks while a new coordinator looks for those that run already: a
// pure collection of what its hosts say. The job is adopted as it runs if every one of its tasks is
// there in the last attempt of its region, and runs or has finished. Otherwise it begins anew.
//
// Of a host that was cut off, and has come again, older attempts may run: they count for nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "millrace/coordination/host_protocol.h"
#include "millrace/coordination/placement.h"
#include "millrace/core/ids.h"
#include "millrace/plan/execution_plan.h"

namespace millrace::detail {

// The tasks of a job as they run.
struct RunningTasks {
  struct Task {
    AttemptId attempt;
    std::uint32_t host = 0;  // a position in hosts
    bool finished = false;
  };

  std::vector<HostAddress> hosts;
  std::vector<Task> tasks;    // by SubtaskId
  CheckpointId triggered{0};  // the newest checkpoint of which a host has heard

  std::vector<std::string> host_of() const;  // each task: its identity
};

class Adoption {
 public:
  // The mark is that of the plan by which hosts must number tasks.
  Adoption(const ExecutionPlan& plan, std::uint64_t mark);

  // The last attempt of each region, as the job's record has it. Nothing is decided before.
  void expect(std::vector<AttemptId> attempts) { attempts_ = std::move(attempts); }

  void hear(const HostReady& ready) { hosts_[ready.address.identity] = {ready}; }
  void hear(const TaskOpened&) {}
  void hear(const TaskFinished& finished) { note(finished.from, TaskCondition::kFinished); }
  void hear(const TaskFailed& failed) { note(failed.from, TaskCondition::kFailed); }
  void hear(const TaskClosed& closed) { note(closed.from, TaskCondition::kClosing); }
  void hear(const EnumeratorFailed& failed);
  void hear(const CheckpointAcknowledged&) {}
  void hear(const CheckpointDeclined&) {}
  void hear(const CheckpointCommitted&) {}
  void hear(const SplitsAcknowledged&) {}
  void host_lost(const std::string& identity);

  // The record was read: whether the tasks that have come are all of them can be said.
  bool is_decidable() const { return attempts_.has_value(); }
  // Nothing that may still come makes it possible.
  bool is_impossible() const;
  // All tasks, once they are known.
  std::optional<RunningTasks> complete() const;
  // Whether these are the attempts that were expected.
  bool is_of(const std::vector<AttemptId>& attempts) const { return attempts_ == attempts; }

 private:
  struct Host {
    HostReady ready;
    bool lost = false;
  };

  void note(const TaskAddress& task, TaskCondition condition);
  bool counts(const TaskAddress& task) const;
  bool counts(const Host& host) const;

  const std::vector<TaskId> task_of_;         // by SubtaskId
  const std::vector<std::size_t> region_of_;  // by TaskId
  const std::uint64_t mark_;
  std::optional<std::vector<AttemptId>> attempts_;  // by region
  std::map<std::string, Host> hosts_;
};

}  // namespace millrace::detail
