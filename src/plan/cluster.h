// Who runs a planned job: the embedded cluster today. Front ends see this interface only.
#pragma once

#include <functional>
#include <memory>

#include "millrace/core/log.h"
#include "millrace/plan/execution_plan.h"
#include "millrace/plan/execution_settings.h"
#include "millrace/plan/job_code.h"

namespace millrace::detail {

// A moment's totals over the job, for a status line.
struct JobProgress {
  std::uint64_t records_in = 0;         // emitted by the sources
  std::uint64_t records_out = 0;        // taken by the sinks
  Timestamp watermark = kMinTimestamp;  // the least of all tasks with inputs
  std::uint64_t state_rows = 0;         // keys of keyed state that are in memory
  std::uint64_t state_bytes = 0;        // that they take
  std::uint64_t state_lookups = 0;
  std::uint64_t state_reads = 0;  // lookups that had to ask the database
};

class RunningJob {
 public:
  virtual ~RunningJob() = default;

  // Waits up to that long for the end; returns whether it came.
  virtual bool wait_for(std::chrono::milliseconds time) = 0;
  // After the end: why it failed, if it did. A cancelled job's error says so.
  virtual Status result() = 0;
  // Asks all tasks to stop where they are. May be called from any thread, and more than once.
  virtual void cancel() = 0;

  virtual JobProgress progress() const = 0;
};

class Cluster {
 public:
  virtual ~Cluster() = default;

  // Starts the job; an error if it could not be deployed.
  virtual Result<std::unique_ptr<RunningJob>> start(ExecutionPlan plan, JobCode code,
                                                    ExecutionSettings settings = {}) = 0;
};

}  // namespace millrace::detail
