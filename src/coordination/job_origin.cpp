#include "millrace/coordination/job_origin.h"

#include <algorithm>

#include "millrace/coordination/metadata_store.h"
#include "millrace/state/checkpoint_format.h"
#include "millrace/state/savepoint/savepoint_stores.h"

namespace millrace::detail {
namespace {

using Origin = Result<std::optional<CheckpointMetadata>>;

Origin read_own(const ExecutionSettings& settings, const CheckpointName& name) {
  Result<CheckpointMetadata> metadata = read_checkpoint(*settings.checkpoint_store, name);
  if (!metadata) return metadata.error();
  return Origin(*std::move(metadata));
}

Origin read_from(const ExecutionSettings& settings, const RestoreFrom& from) {
  if (const auto* own = std::get_if<RestoreFromCheckpoint>(&from)) {
    return read_own(settings, {CheckpointId(own->id), own->epoch});
  }
  const auto* path = std::get_if<RestoreFromPath>(&from);
  if (path == nullptr || settings.savepoints == nullptr) return Origin(std::nullopt);
  Result<FoundSnapshot> found = settings.savepoints->find(path->path);
  if (!found) return found.error();
  return Origin(std::move(found->metadata));
}

}  // namespace

Origin read_origin(const ExecutionSettings& settings, const std::string& job) {
  if (!std::holds_alternative<RestoreFromLatest>(settings.restore)) {
    return read_from(settings, settings.restore);
  }
  if (settings.metadata_store == nullptr) return Origin(std::nullopt);
  const auto record = settings.metadata_store->read(job);
  if (!record) return record.error();
  if (!*record) return Origin(std::nullopt);
  const bool begun = !(*record)->completed.empty();
  const bool asked = !std::holds_alternative<RestoreFromLatest>((*record)->restore);
  if (begun && !asked) return read_own(settings, (*record)->completed.back());
  return read_from(settings, (*record)->restore);
}

std::uint32_t key_groups_of(const LogicalPlan& plan, const CheckpointMetadata& origin) {
  for (const TaskSnapshot& task : origin.tasks) {
    for (const OperatorSnapshot& snapshot : task.operators) {
      if (snapshot.keyed.empty()) continue;
      const auto spec = std::ranges::find(plan.operators, snapshot.id,
                                          [](const OperatorSpec& one) { return one.id.value(); });
      if (spec != plan.operators.end() && !spec->max_parallelism) return snapshot.max_parallelism;
    }
  }
  return 0;
}

}  // namespace millrace::detail
