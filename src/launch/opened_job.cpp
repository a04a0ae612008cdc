#include "millrace/launch/opened_job.h"

#include <memory>
#include <utility>

#include "millrace/coordination/directory_savepoints.h"
#include "millrace/coordination/document_metadata_store.h"
#include "millrace/coordination/job_origin.h"
#include "millrace/coordination/job_restore.h"
#include "millrace/coordination/job_retention.h"
#include "millrace/coordination/submission.h"
#include "millrace/coordination/worker/settings.h"
#include "millrace/core/config/options.h"
#include "millrace/core/text.h"
#include "millrace/launch/job_storage.h"
#include "millrace/plan/plan_codec.h"
#include "millrace/state/files/directory_checkpoint_store.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

// What the settings of a running job borrow.
struct Stores {
  Stores(detail::FileSystem& files, const fs::path& directory, detail::DocumentStore& documents,
         LeaderEpoch epoch)
      : checkpoints(files, directory), metadata(documents, epoch), savepoints(files) {}

  detail::DirectoryCheckpointStore checkpoints;
  detail::DocumentMetadataStore metadata;
  detail::DirectorySavepoints savepoints;
};

fs::path checkpoints_of(const ClusterPlaces& places, const std::string& id, const Config& config) {
  const std::string asked = config.get(kCheckpointDirectory);
  return (asked.empty() ? places.directory / "checkpoints" : fs::path(asked)) / id;
}

detail::RestoreFrom restore_from(const detail::JobSubmission& submission, bool again) {
  const std::string& asked = submission.restore;
  if (again || asked == "latest") return detail::RestoreFromLatest();
  if (asked.empty() || asked == "none") return detail::RestoreFromNothing();
  return detail::RestoreFromPath{
      (fs::path(submission.directory) / asked).lexically_normal().native()};
}

std::optional<std::chrono::nanoseconds> stabilization_of(const Config& config) {
  if (config.get(kScheduler) != SchedulerKind::kAdaptive) return std::nullopt;
  return config.get(kResourceStabilization);
}

}  // namespace

Result<detail::ClusterJob> open_job(const ClusterPlaces& places,
                                    const detail::SubmittedJob& submitted, LeaderEpoch epoch,
                                    bool again) {
  const detail::JobSubmission& submission = submitted.submission;
  const auto description = detail::decode_submission(submission.description, submission.name);
  if (!description) return description.error();
  Result<detail::LogicalPlan> plan = detail::decode_logical_plan(description->plan);
  if (!plan) return plan.error();
  const Result<Config> config = detail::config_of(description->settings);
  if (!config) return config.error();
  if (submitted.parallelism != 0) plan->parallelism = submitted.parallelism;
  if (submitted.max_parallelism != 0) plan->max_parallelism = submitted.max_parallelism;

  const fs::path checkpoints = checkpoints_of(places, submission.id, *config);
  auto stores = std::make_shared<Stores>(places.files, checkpoints, places.documents, epoch);
  detail::ExecutionSettings execution = execution_settings(*config, *plan);
  execution.checkpoint_store = &stores->checkpoints;
  execution.metadata_store = &stores->metadata;
  execution.savepoints = &stores->savepoints;
  execution.allow_dropped_state = submission.allow_dropped_state;
  execution.allow_repeated_output = submission.allow_repeated_output;
  execution.restore = restore_from(submission, again);
  // The number of key groups decides where keys go: from now on it stays as it is.
  if (plan->max_parallelism == 0) {
    const auto origin = detail::read_origin(execution, submission.id);
    if (!origin) return origin.error();
    if (*origin) plan->max_parallelism = detail::key_groups_of(*plan, **origin);
  }
  Result<detail::ExecutionPlan> planned = detail::make_execution_plan(*plan);
  if (!planned) return planned.error();
  plan->max_parallelism = planned->max_parallelism;
  planned->logical.max_parallelism = planned->max_parallelism;
  const Result<std::uint64_t> size = places.artifacts.size_of(submission.artifact);
  if (!size) return size.error();
  detail::StartHost host{.host = {},
                         .artifact = submission.artifact,
                         .artifact_bytes = *size,
                         .arguments = submission.arguments,
                         .directory = submission.directory,
                         .plan = detail::encode(*plan),
                         .settings = description->settings,
                         .coordinator = {},
                         .checkpoints = checkpoints.native()};
  return detail::ClusterJob{
      .id = submission.id,
      .epoch = epoch,
      .has_run = false,
      .may_run = false,
      .mark = detail::plan_mark(host.plan),
      .plan = std::make_shared<const detail::ExecutionPlan>(*std::move(planned)),
      .execution = std::move(execution),
      .stores = std::move(stores),
      .stabilization = stabilization_of(*config),
      .host = std::move(host)};
}

// Numbers of checkpoints begin anew with a new job, and would be those of an earlier one's.
Status check_beginning(const ClusterPlaces& places, const detail::ClusterJob& job) {
  const std::string& checkpoints = job.host.checkpoints;
  const auto taken = detail::DirectoryCheckpointStore(places.files, checkpoints).has_checkpoints();
  if (!taken) return taken.error();
  if (!*taken) return {};
  return invalid_argument(concat("the checkpoints of an earlier job of the same id are in ",
                                 in_quotes(checkpoints), "; choose another id, or leave it out"));
}

Status check_going_on(const detail::ClusterJob& job) {
  const auto origin = detail::read_origin(job.execution, job.id);
  if (!origin) return origin.error();
  if (!*origin) return {};
  const auto restored = restore_job(*job.plan, **origin, job.execution.allow_dropped_state);
  return restored ? Status() : restored.error();
}

Status remove_checkpoints(const ClusterPlaces& places, const detail::SubmittedJob& submitted,
                          std::string_view phase) {
  const detail::JobSubmission& submission = submitted.submission;
  const auto description = detail::decode_submission(submission.description, submission.name);
  if (!description) return description.error();
  const Result<Config> config = detail::config_of(description->settings);
  if (!config) return config.error();
  if (detail::keeps_checkpoints(config->get(kCheckpointRetention), phase)) return {};
  const fs::path directory = checkpoints_of(places, submission.id, *config);
  return detail::DirectoryCheckpointStore(places.files, directory).remove_all();
}

}  // namespace millrace
