// The few facts about a job that must survive everything, each changed in one conditional step:
// which leader may act, which attempt runs, and which checkpoint is complete. A local directory or
// ZooKeeper keeps them.
//
// Calls block, and may come from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/plan/execution_settings.h"
#include "millrace/state/checkpoint_store.h"

namespace millrace::detail {

// What is known of a job. A plain struct.
struct JobRecord {
  std::uint64_t version = 0;            // grows with each write
  std::uint64_t epoch = 0;              // of the leader that may write
  std::uint64_t attempt = 0;            // the last one that was allocated
  std::vector<std::uint64_t> attempts;  // the last of each region
  std::uint64_t next_checkpoint = 1;
  std::vector<CheckpointName> completed;  // those that are retained, the newest last: the pointer
  // "running", "finished", "cancelled", "stopped", "failed"; or "rescaling": its tasks were ended
  // in order to begin anew, and it has not ended.
  std::string state;
  // What it goes on from until the run that chose this has completed a checkpoint: what was
  // completed before stays until then. The latest is the newest that is completed.
  RestoreFrom restore = RestoreFromLatest{};

  bool operator==(const JobRecord&) const = default;
};

inline constexpr std::string_view kRescalingState = "rescaling";

// Whether the job, started from its latest, has nothing to go on from.
bool is_from_nothing(const JobRecord& record);

class MetadataStore {
 public:
  virtual ~MetadataStore() = default;

  // Nothing if the job is unknown. What it gives back will not be lost any more, whoever wrote it.
  virtual Result<std::optional<JobRecord>> read(std::string_view job) = 0;

  // Writes if the record that is there has `version` (0: none is there) and no newer epoch; gives
  // back what was written, with its new version. kCancelled if somebody else was faster: this
  // leader is one no more. After kUnavailable it is unknown whether it was written: read again.
  virtual Result<JobRecord> write(std::string_view job, std::uint64_t version,
                                  JobRecord record) = 0;
};

// The condition of write(): kCancelled unless the record that is there has this
// version and no newer epoch.
Status check_replaceable(std::string_view job, const std::optional<JobRecord>& current,
                         std::uint64_t version, std::uint64_t epoch);

}  // namespace millrace::detail
