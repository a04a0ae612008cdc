// Who runs a planned job: the embedded cluster today. Front ends see this interface only.
#pragma once

#include <functional>
#include <memory>
#include <string>

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

// What becomes of the job once a savepoint of it is taken.
enum class AfterSavepoint : std::uint8_t {
  kGoOn,
  kStop,   // at the savepoint: whoever restores it goes on as if nothing had been
  kDrain,  // the input ends before: the maximum watermark, timers, what was held back
  // As kStop, in order to begin anew with another parallelism: the job has not ended. No savepoint
  // is made, the checkpoint is enough; and none where the tasks do not run, and have the last one.
  kRescale,
};

struct SavepointOrder {
  std::string path;  // of a folder that is not there, or empty; none to rescale
  AfterSavepoint then = AfterSavepoint::kGoOn;
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

  // Calls done() once, on any thread, when the savepoint is complete or has failed; never, if the
  // job has ended before. One at a time.
  using SavepointTaken = std::function<void(Status)>;
  virtual void savepoint(SavepointOrder order, SavepointTaken done) = 0;

  virtual JobProgress progress() const = 0;
};

// Waits for it; an error if the job has ended before.
Status take_savepoint(RunningJob& job, SavepointOrder order);

class Cluster {
 public:
  virtual ~Cluster() = default;

  // Starts the job; an error if it could not be deployed.
  virtual Result<std::unique_ptr<RunningJob>> start(ExecutionPlan plan, JobCode code,
                                                    ExecutionSettings settings = {}) = 0;
};

}  // namespace millrace::detail
