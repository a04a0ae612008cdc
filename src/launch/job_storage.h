// Where a job that runs in this process keeps what must survive it: a directory with its
// checkpoints, its record, and the state that it works on.
//
//   DIR/job-...            the job's record, which names its completed checkpoints
//   DIR/chk-N-E, shared    the checkpoints
//   DIR/local              state at work; of no use once the process has ended
//   DIR/savepoint-...      savepoints, unless they have a directory of their own
//
// One process at a time. It outlives the job. The process of a host has some of it (open_shared).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "millrace/core/config/config.h"
#include "millrace/plan/execution_plan.h"
#include "millrace/plan/execution_settings.h"

namespace millrace {

// As --restore and its companions say.
struct RestoreChoice {
  enum class Kind : std::uint8_t { kUnsaid, kNone, kLatest, kPath };

  Kind kind = Kind::kUnsaid;
  std::string path{};
  bool allow_dropped_state = false;
  bool allow_repeated_output = false;
  bool takes_savepoints = false;  // whatever the configuration says

  static RestoreChoice parse(std::string_view text);
};

// Of a job that runs in several processes.
struct SharedPlaces {
  std::filesystem::path checkpoints;  // empty: none are taken
  std::filesystem::path local;        // this process's
  std::filesystem::path copies = {};  // its worker's own, of the checkpoints; empty: it keeps none
};

class JobStorage {
 public:
  // What the configuration asks for; touches no disk where that is nothing. Fails where the
  // directory cannot be used, or holds a job that has not ended and nothing says what becomes of
  // it.
  static Result<JobStorage> open(const detail::ExecutionPlan& plan, const Config& config,
                                 const RestoreChoice& restore);
  // What a host has: the checkpoints, which its coordinator and the job's other hosts have too and
  // nobody locks, and state at work of its own. The job's record is its coordinator's.
  static Result<JobStorage> open_shared(const detail::LogicalPlan& plan, const Config& config,
                                        const SharedPlaces& places);
  JobStorage(JobStorage&&) noexcept;
  ~JobStorage();

  const detail::ExecutionSettings& settings() const { return settings_; }

 private:
  struct Stores;

  JobStorage();
  Status open_local(const std::filesystem::path& local, const Config& config);

  std::unique_ptr<Stores> stores_;
  detail::ExecutionSettings settings_;
};

// How a job is kept running, as the configuration has it; without stores.
detail::ExecutionSettings execution_settings(const Config& config, const detail::LogicalPlan& plan);

// Where the savepoints of a job get folders.
std::string savepoint_directory(const Config& config, const std::string& job);

}  // namespace millrace
