// What survives of a job: its record in the metadata store, and its checkpoints' metadata in the
// checkpoint store. What is done first claims the job with a new epoch; from then on every write is
// conditional on what this ledger wrote last, so that of two coordinators one writes no more and
// learns it (kCancelled). A reply that was lost is resolved by reading back.
//
// Without stores it has its own, in memory, for this process alone.
//
// Calls block, and come one at a time, from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "millrace/coordination/memory_metadata_store.h"
#include "millrace/core/result.h"
#include "millrace/plan/execution_settings.h"
#include "millrace/state/checkpoint_metadata.h"
#include "millrace/state/files/memory_checkpoint_store.h"
#include "millrace/state/savepoint/savepoint_stores.h"

namespace millrace::detail {

// The leave to run tasks, and what they go on from.
struct Attempt {
  AttemptId id;                    // the last one of all regions
  std::vector<AttemptId> regions;  // the last one of each
  std::uint64_t epoch = 0;
  CheckpointId next_checkpoint{1};
  std::vector<CheckpointName> completed;  // and retained, the newest last
  std::optional<CheckpointMetadata> checkpoint;
  std::string origin;  // path of a snapshot that is not among the completed ones
  std::shared_ptr<CheckpointStore> origin_store;
};

// Both stores or neither; checkpoints at intervals need them.
Status check_stores(const ExecutionSettings& settings);

class JobLedger {
 public:
  JobLedger(std::string job, const ExecutionSettings& settings);

  // Allocates the next attempt, of a region. It goes on from the newest completed checkpoint of
  // this run or, until there is one, from what was asked for.
  // It abandons checkpoints up to `triggered`: whoever leads gives their numbers to no other.
  Result<Attempt> next_attempt(std::size_t region = 0, CheckpointId triggered = CheckpointId(0));
  // The last attempt of each region, whoever allocated it. Claims nothing.
  Result<std::vector<AttemptId>> attempts();
  // Instead of the first: claims the job, and leaves the attempt that runs the last one. What is
  // completed is known then, and not what its tasks went on from.
  Result<Attempt> adopt();

  Status write(const CheckpointName& checkpoint, const CheckpointMetadata& metadata);
  // Moves the job's pointer to the newest of them, which completes that checkpoint.
  Status complete(const std::vector<CheckpointName>& retained);
  // Removes what no retained checkpoint needs.
  Status remove_unused();
  // The same of what the last attempt has abandoned. Without that a full disk would stay full until
  // a checkpoint is complete.
  Status remove_abandoned();
  // How the job ended. The final checkpoint stays: started again from it, the job has nothing to
  // do.
  Status end(std::string_view state);
  // It ended so because it could not begin. What the job goes on from, and how it had ended, is
  // what it was before; if that is nothing, it stays what was asked for.
  Status withdraw(std::string_view state);

 private:
  using Edit = std::function<void(JobRecord&)>;

  Status claim(const Edit& edit);
  Status remove_up_to(const CheckpointName& newest);
  Attempt current() const;
  Result<std::optional<JobRecord>> read();
  Status choose(JobRecord& record) const;
  Result<std::vector<CheckpointName>> gone_on_from(const JobRecord& record) const;
  Status check_newest(CheckpointId id, std::string_view asked, const JobRecord& record) const;
  Result<FoundSnapshot> find_origin(const std::string& path) const;
  Status change(const Edit& edit);
  Status write_record(const JobRecord& wanted);
  Status resolve(const JobRecord& wanted, const Error& lost);
  Result<CheckpointMetadata> load(const CheckpointName& checkpoint);

  const std::string job_;
  const RestoreFrom restore_;
  const bool allow_repeated_output_;
  MemoryCheckpointStore own_checkpoints_;  // where it was given none
  MemoryMetadataStore own_metadata_;
  CheckpointStore& checkpoint_store_;
  MetadataStore& metadata_store_;
  SavepointStores* const savepoints_;
  std::optional<JobRecord> before_;     // as it was when this one claimed it
  std::optional<std::uint64_t> epoch_;  // once claimed
  std::optional<JobRecord> record_;     // as it was written last; none if that is unknown
  std::map<CheckpointName, std::set<std::string>> files_;  // of the checkpoints seen so far
};

}  // namespace millrace::detail
