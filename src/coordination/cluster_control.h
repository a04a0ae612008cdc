// What can be asked of a cluster, by the web server that serves commands, tools and the page:
// without actors, so that whoever asks needs none.
//
// Calls come from any thread and wait for the answer. A coordinator that does not lead answers
// kUnavailable to all of them but leader().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/coordination/checkpoint_history.h"
#include "millrace/core/result.h"
#include "millrace/core/time.h"

namespace millrace::detail {

// A job as it is handed in. Handed in twice with the same id it is one job.
struct JobSubmission {
  std::string id;        // 32 hexadecimal digits, by who hands it in
  std::string name;      // empty: as the program calls it
  std::string artifact;  // the executable's SHA-256, in hexadecimal digits
  std::vector<std::string> arguments;
  std::string directory;    // in which relative paths begin
  std::string description;  // what the program printed for --plan=submission: plan and settings
  std::optional<std::uint32_t> parallelism;
  std::string restore;  // as --restore has it; empty: nothing
  bool allow_dropped_state = false;
  bool allow_repeated_output = false;

  bool operator==(const JobSubmission&) const = default;
};

enum class JobPhase {
  kWaiting,
  kStarting,
  kRunning,
  kRestarting,
  kEnding,
  kFinished,
  kStopped,
  kCancelled,
  kFailed
};

struct TaskReport {
  std::string id;
  std::string name;
  std::uint32_t parallelism = 0;
  std::vector<std::string> hosts;  // the worker of each subtask; empty where it has none
  std::uint64_t records_in = 0;    // by all subtasks, as far as their hosts have said
  std::uint64_t records_out = 0;
};

struct JobReport {
  std::string id;
  std::string name;
  JobPhase phase = JobPhase::kWaiting;
  std::string reason;  // what it waits for, or why it failed or restarts
  Timestamp started;
  std::optional<Timestamp> ended;
  std::uint64_t attempt = 0;
  std::uint32_t parallelism = 0;
  std::uint32_t wanted_parallelism = 0;     // more, where an adaptive job has not all of its slots
  std::uint64_t completed_checkpoints = 0;  // by this leader, or found by it
  std::vector<TaskReport> tasks;
  std::vector<CheckpointReport> checkpoints;  // the newest last, as many as are remembered
};

struct WorkerReport {
  std::string id;
  std::string address;
  std::uint32_t slots = 0;
  std::uint32_t free_slots = 0;
  Timestamp heard;  // last
};

struct LeaderReport {
  bool here = false;         // this coordinator leads
  std::string rest_address;  // of the one that leads, as http://HOST:PORT; empty: nobody does yet
  std::string trouble = {};  // why that cannot be known, such as that ZooKeeper does not answer
};

// How a savepoint that was asked for goes.
struct SavepointReport {
  bool completed = false;
  std::string path;     // once completed
  std::string failure;  // instead of a path
};

class ClusterControl {
 public:
  virtual ~ClusterControl() = default;

  virtual LeaderReport leader() = 0;

  virtual Result<bool> has_artifact(std::string_view sha256) = 0;
  // Reads the bytes from next(), an empty part being the end, and refuses those of another SHA-256.
  using Parts = std::function<Result<std::string>()>;
  virtual Status put_artifact(std::string_view sha256, const Parts& next) = 0;

  // Gives back whether the job is new. kInvalidArgument if the id is another submission's.
  virtual Result<bool> submit(const JobSubmission& submission) = 0;
  virtual Result<std::vector<JobReport>> jobs() = 0;
  virtual Result<JobReport> job(std::string_view id) = 0;
  virtual Status cancel(std::string_view id) = 0;
  // Gives back what to ask savepoint() for. An empty directory is the one that is configured.
  struct SavepointWish {
    std::string directory;
    bool stop = false;   // behind it
    bool drain = false;  // ends the input first
  };
  virtual Result<std::string> take_savepoint(std::string_view id, const SavepointWish& wish) = 0;
  virtual Result<SavepointReport> savepoint(std::string_view id, std::string_view request) = 0;
  virtual Status rescale(std::string_view id, std::uint32_t parallelism) = 0;
  // The last lines of what the job's processes said, the newest last.
  virtual Result<std::string> logs(std::string_view id, std::size_t lines) = 0;
  virtual Result<std::vector<WorkerReport>> workers() = 0;
};

}  // namespace millrace::detail
