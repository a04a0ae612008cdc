#include "millrace/launch/job_storage.h"

#include <unistd.h>

#include <algorithm>

#include "millrace/coordination/local_metadata_store.h"
#include "millrace/core/config/options.h"
#include "millrace/core/text.h"
#include "millrace/state/files/checkpoint_names.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/files/directory_lock.h"
#include "millrace/state/files/real_file_system.h"
#include "millrace/state/rocksdb/rocksdb_store_factory.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using detail::ExecutionSettings;

constexpr Duration kDefaultInterval = std::chrono::seconds(10);
constexpr std::uint64_t kPartOfMemory = 4;
// run() ends the program when the timeout is over; the job itself would wait for a stuck task.
constexpr Duration kLaterThanProgram = std::chrono::seconds(10);

bool is_unbounded(const detail::LogicalPlan& plan) {
  return std::ranges::any_of(plan.operators, [](const detail::OperatorSpec& spec) {
    return spec.source && !spec.bounded;
  });
}

bool has_keyed_state(const detail::LogicalPlan& plan) {
  return std::ranges::any_of(
      plan.operators, [](const detail::OperatorSpec& spec) { return !spec.key_schema.empty(); });
}

std::uint64_t memory_of_machine() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long size = sysconf(_SC_PAGE_SIZE);
  return pages > 0 && size > 0
             ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size)
             : std::uint64_t{4} << 30;
}

std::size_t state_memory(const Config& config) {
  if (config.get(kStateBackend) == StateBackend::kMemory) return 0;
  const std::optional<Bytes> asked = config.get(kStateMemory);
  return asked ? asked->count() : memory_of_machine() / kPartOfMemory;
}

detail::RestartSettings restart_settings(const Config& config, bool checkpoints) {
  const RestartKind automatic = checkpoints ? RestartKind::kExponentialDelay : RestartKind::kNone;
  switch (config.get(kRestartStrategy).value_or(automatic)) {
    case RestartKind::kNone:
      break;
    case RestartKind::kFixedDelay:
      return detail::FixedDelayRestart{
          .attempts = static_cast<std::size_t>(config.get(kFixedDelayAttempts)),
          .delay = config.get(kFixedDelay)};
    case RestartKind::kFailureRate:
      return detail::FailureRateRestart{
          .failures = static_cast<std::size_t>(config.get(kFailureRateMost)),
          .interval = config.get(kFailureRateInterval),
          .delay = config.get(kFailureRateDelay)};
    case RestartKind::kExponentialDelay:
      return detail::ExponentialDelayRestart{.initial = config.get(kExponentialInitial),
                                             .multiplier = config.get(kExponentialMultiplier),
                                             .most = config.get(kExponentialMost),
                                             .reset_after = config.get(kExponentialReset),
                                             .jitter = config.get(kExponentialJitter)};
  }
  return detail::NoRestart{};
}

ExecutionSettings settings_of(const Config& config, Duration interval) {
  return {.checkpoints = {.interval = interval,
                          .timeout = config.get(kCheckpointTimeout),
                          .min_pause = config.get(kCheckpointPause),
                          .aligned_timeout = config.get(kAlignedTimeout),
                          .mode = config.get(kCheckpointMode),
                          .tolerable_failures =
                              static_cast<std::size_t>(config.get(kTolerableFailures)),
                          .retained = static_cast<std::size_t>(config.get(kRetainedCheckpoints))},
          .restart = restart_settings(config, interval.count() > 0),
          .cancellation_timeout = config.get(kCancellationTimeout) + kLaterThanProgram};
}

fs::path directory_of(const Config& config, const std::string& job) {
  const std::string asked = config.get(kCheckpointDirectory);
  return asked.empty() ? fs::path("millrace-data") / job : fs::path(asked);
}

bool has_ended(const detail::JobRecord& record) {
  return record.state == "finished" || record.completed.empty();
}

Result<detail::RestoreFrom> restore_from(const RestoreChoice& choice, const fs::path& directory,
                                         const std::optional<detail::JobRecord>& record) {
  switch (choice.kind) {
    case RestoreChoice::Kind::kUnsaid:
      if (!record || has_ended(*record)) return detail::RestoreFrom(detail::RestoreFromNothing());
      return invalid_argument(
          concat(in_quotes(directory.native()),
                 " holds checkpoints of this job, which has not "
                 "come to its end; go on from them with --restore=latest, or start afresh with "
                 "--restore=none, which forgets them"));
    case RestoreChoice::Kind::kNone:
      return detail::RestoreFrom(detail::RestoreFromNothing());
    case RestoreChoice::Kind::kLatest:
      return detail::RestoreFrom(detail::RestoreFromLatest());
    case RestoreChoice::Kind::kPath:
      break;
  }
  fs::path path = fs::path(choice.path).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const auto name = detail::parse_checkpoint_name(path.filename().native());
  if (!name || (path.has_parent_path() &&
                fs::weakly_canonical(path.parent_path()) != fs::weakly_canonical(directory))) {
    return invalid_argument(concat("--restore=", choice.path, ": expected latest, none, or a ",
                                   "checkpoint of the job's directory, such as ",
                                   (directory / "chk-7-1").native()));
  }
  return detail::RestoreFrom(detail::RestoreFromCheckpoint{name->id, name->epoch});
}

}  // namespace

RestoreChoice RestoreChoice::parse(std::string_view text) {
  if (text == "none") return {.kind = Kind::kNone, .path = {}};
  if (text == "latest") return {.kind = Kind::kLatest, .path = {}};
  return {.kind = Kind::kPath, .path = std::string(text)};
}

struct JobStorage::Stores {
  explicit Stores(const fs::path& directory)
      : checkpoints(files, directory), metadata(files, directory) {}

  detail::RealFileSystem files;
  std::optional<detail::DirectoryLock> lock;
  detail::DirectoryCheckpointStore checkpoints;
  detail::LocalMetadataStore metadata;
  std::unique_ptr<detail::RocksDbStoreFactory> states;
};

JobStorage::JobStorage() = default;
JobStorage::JobStorage(JobStorage&&) noexcept = default;
JobStorage::~JobStorage() = default;

Result<JobStorage> JobStorage::open(const detail::ExecutionPlan& plan, const Config& config,
                                    const RestoreChoice& restore) {
  const detail::LogicalPlan& logical = plan.logical;
  const Duration interval = config.get(kCheckpointInterval)
                                .value_or(is_unbounded(logical) ? kDefaultInterval : Duration(0));
  JobStorage storage;
  storage.settings_ = settings_of(config, interval);
  const bool checkpoints = interval.count() > 0;
  const bool limited = config.origin(kStateMemory.key).source != Origin::Source::kDefault;
  if (!checkpoints && !(limited && has_keyed_state(logical))) {
    if (restore.kind == RestoreChoice::Kind::kUnsaid) return storage;
    if (restore.kind == RestoreChoice::Kind::kNone) return storage;
    return invalid_argument(
        "--restore goes on from a checkpoint, but the job takes none: give --checkpoint-interval");
  }
  const fs::path directory = directory_of(config, logical.job);
  storage.stores_ = std::make_unique<Stores>(directory);
  Stores& stores = *storage.stores_;
  Result<detail::DirectoryLock> lock = detail::DirectoryLock::take(stores.files, directory);
  if (!lock) return lock.error();
  stores.lock = *std::move(lock);
  auto states = detail::RocksDbStoreFactory::open(directory / "local");
  if (!states) return states.error();
  stores.states = *std::move(states);
  storage.settings_.state_stores = stores.states.get();
  storage.settings_.state_memory = state_memory(config);
  if (!checkpoints) return storage;
  storage.settings_.checkpoint_store = &stores.checkpoints;
  storage.settings_.metadata_store = &stores.metadata;
  Result<std::optional<detail::JobRecord>> record = stores.metadata.read(logical.job);
  if (!record) return record.error();
  Result<detail::RestoreFrom> from = restore_from(restore, directory, *record);
  if (!from) return from.error();
  storage.settings_.restore = *from;
  return storage;
}

}  // namespace millrace
