// What becomes known of a job's tasks while a new coordinator looks for those that run already: a
// pure collection of what its hosts say. The job is adopted as it runs if every one of its tasks is
// there and runs, or has finished, all of a region in one attempt. Otherwise it begins anew.
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

  void hear(const HostReady& ready);
  void hear(const TaskOpened&) {}
  void hear(const TaskFinished& finished);
  void hear(const TaskFailed& failed) { lose(failed.from); }
  void hear(const TaskClosed& closed) { lose(closed.from); }
  void hear(const EnumeratorFailed&) { possible_ = false; }
  void hear(const CheckpointAcknowledged&) {}
  void hear(const CheckpointDeclined&) {}
  void hear(const CheckpointCommitted&) {}
  void hear(const SplitsAcknowledged&) {}
  void host_lost(const std::string& identity);

  // Nothing that may still come makes it possible.
  bool is_impossible() const { return !possible_; }
  // All tasks, once they are known.
  std::optional<RunningTasks> complete() const;
  // Whether these are the attempts of the regions. Of hosts that were cut off, and have come again,
  // older ones may run.
  bool is_of(const std::vector<AttemptId>& attempts) const;

 private:
  struct Known {
    HeldTask held;
    std::string host;
  };

  void add(const HeldTask& held, const std::string& host);
  void lose(const TaskAddress& task);

  const std::vector<std::size_t> region_of_;  // by SubtaskId
  const std::uint64_t mark_;
  std::map<std::string, HostAddress> hosts_;  // that have tasks
  std::map<SubtaskId, Known> tasks_;
  std::map<std::size_t, AttemptId> attempt_of_;  // by region
  CheckpointId triggered_{0};
  bool possible_ = true;
};

}  // namespace millrace::detail
