// How a job is kept running: when it takes checkpoints, where they lie, what it goes on from, and
// what follows a failure. Plain data, chosen where a job is started; the defaults are Flink's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "millrace/core/ids.h"
#include "millrace/core/mode.h"
#include "millrace/core/time.h"

namespace millrace::detail {

class CheckpointStore;
class MetadataStore;
class SavepointStores;
class StateStoreFactory;

struct CheckpointSettings {
  std::chrono::nanoseconds interval{0};  // 0: none but the final one
  std::chrono::nanoseconds timeout = std::chrono::minutes(10);
  std::chrono::nanoseconds min_pause{0};  // from the end of one to the beginning of the next
  // How old a barrier must be to overtake the records before it.
  Duration aligned_timeout = std::chrono::seconds(30);
  CheckpointMode mode = CheckpointMode::kExactlyOnce;
  std::size_t tolerable_failures = 0;  // in a row; one more fails the job, which then restarts
  std::size_t retained = 1;
};

struct NoRestart {};
struct FixedDelayRestart {
  std::size_t attempts = 1;
  std::chrono::nanoseconds delay = std::chrono::seconds(1);
};
struct FailureRateRestart {
  std::size_t failures = 1;  // in any interval; one more is too many
  std::chrono::nanoseconds interval = std::chrono::minutes(1);
  std::chrono::nanoseconds delay = std::chrono::seconds(1);
};
struct ExponentialDelayRestart {
  std::chrono::nanoseconds initial = std::chrono::seconds(1);
  double multiplier = 1.5;
  std::chrono::nanoseconds most = std::chrono::minutes(1);
  std::chrono::nanoseconds reset_after = std::chrono::hours(1);  // without a failure
  double jitter = 0.1;                                           // of the delay, up or down
};
using RestartSettings =
    std::variant<NoRestart, FixedDelayRestart, FailureRateRestart, ExponentialDelayRestart>;

// What a job goes on from when it is started; a restart goes on from its own last checkpoint.
struct RestoreFromNothing {
  bool operator==(const RestoreFromNothing&) const = default;
};
// From nothing if the job has no checkpoint.
struct RestoreFromLatest {
  bool operator==(const RestoreFromLatest&) const = default;
};
struct RestoreFromCheckpoint {
  CheckpointId id;
  std::uint64_t epoch = 0;

  bool operator==(const RestoreFromCheckpoint&) const = default;
};
// A savepoint, or a checkpoint that may be another job's. It is only read.
struct RestoreFromPath {
  std::string path;

  bool operator==(const RestoreFromPath&) const = default;
};
using RestoreFrom =
    std::variant<RestoreFromNothing, RestoreFromLatest, RestoreFromCheckpoint, RestoreFromPath>;

// The stores are borrowed and must outlive the job. Without them nothing is known of the job beyond
// this process, and it takes no checkpoint but the final one.
struct ExecutionSettings {
  CheckpointSettings checkpoints;
  RestartSettings restart;
  CheckpointStore* checkpoint_store = nullptr;
  MetadataStore* metadata_store = nullptr;
  StateStoreFactory* state_stores = nullptr;  // null: keyed state lives in memory only
  SavepointStores* savepoints = nullptr;      // null: there are none, nor other jobs' checkpoints
  std::size_t state_memory = 0;  // bytes for all keyed state of this process; 0: no limit
  RestoreFrom restore;
  bool allow_dropped_state = false;    // of operators that the job no longer has
  bool allow_repeated_output = false;  // by going on from what the job has completed more since
  // How long a task that was told to stop may take before the job is given up.
  std::chrono::nanoseconds cancellation_timeout = std::chrono::minutes(3);
  // How long a host that is started for its slots may take to report.
  std::chrono::nanoseconds slot_timeout = std::chrono::minutes(5);
};

}  // namespace millrace::detail
