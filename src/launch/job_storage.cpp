#include "millrace/launch/job_storage.h"

#include <unistd.h>

#include <algorithm>

#include "millrace/coordination/directory_savepoints.h"
#include "millrace/coordination/local_metadata_store.h"
#include "millrace/core/config/options.h"
#include "millrace/core/text.h"
#include "millrace/state/files/checkpoint_names.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/files/directory_lock.h"
#include "millrace/state/files/local_copies.h"
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

Duration interval_of(const Config& config, const detail::LogicalPlan& plan) {
  return config.get(kCheckpointInterval)
      .value_or(is_unbounded(plan) ? kDefaultInterval : Duration(0));
}

// Whether keyed state needs a disk though no checkpoint does.
bool spills(const Config& config, const detail::LogicalPlan& plan) {
  const bool limited = config.origin(kStateMemory.key).source != Origin::Source::kDefault;
  return limited && has_keyed_state(plan);
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
          .cancellation_timeout = config.get(kCancellationTimeout) + kLaterThanProgram,
          .slot_timeout = config.get(kSlotRequestTimeout)};
}

fs::path directory_of(const Config& config, const std::string& job) {
  const std::string asked = config.get(kCheckpointDirectory);
  return asked.empty() ? fs::path("millrace-data") / job : fs::path(asked);
}

bool has_ended(const detail::JobRecord& record) {
  return record.state == "finished" || is_from_nothing(record);
}

// A path from which another directory or process finds the same.
std::string whole(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  return error ? path.native() : absolute.lexically_normal().native();
}

bool same_place(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::weakly_canonical(a, error) == fs::weakly_canonical(b, error) && !error;
}

// The job's own checkpoint, if it is one.
std::optional<detail::CheckpointName> own_checkpoint(const std::string& text,
                                                     const fs::path& directory) {
  fs::path path = fs::path(text).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const auto name = detail::parse_checkpoint_name(path.filename().native());
  // A name alone is one of the job's too, unless such a folder is here.
  std::error_code ignored;
  const bool here = path.has_parent_path() || fs::exists(path / detail::kMetadataFile, ignored);
  const fs::path above = here ? fs::path(whole(path)).parent_path() : directory;
  return same_place(above, directory) ? name : std::nullopt;
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
  if (const auto name = own_checkpoint(choice.path, directory)) {
    return detail::RestoreFrom(detail::RestoreFromCheckpoint{name->id, name->epoch});
  }
  if (same_place(choice.path, directory)) {
    return detail::RestoreFrom(detail::RestoreFromLatest());
  }
  return detail::RestoreFrom(detail::RestoreFromPath{whole(choice.path)});
}

}  // namespace

RestoreChoice RestoreChoice::parse(std::string_view text) {
  if (text == "none") return {.kind = Kind::kNone};
  if (text == "latest") return {.kind = Kind::kLatest};
  return {.kind = Kind::kPath, .path = std::string(text)};
}

struct JobStorage::Stores {
  explicit Stores(const fs::path& directory)
      : checkpoints(files, directory), metadata(files, directory), savepoints(files) {}

  detail::RealFileSystem files;
  std::optional<detail::DirectoryLock> lock;
  detail::DirectoryCheckpointStore checkpoints;
  std::optional<detail::LocalCopies> copies;
  detail::LocalMetadataStore metadata;
  detail::DirectorySavepoints savepoints;
  std::unique_ptr<detail::RocksDbStoreFactory> states;
};

JobStorage::JobStorage() = default;
JobStorage::JobStorage(JobStorage&&) noexcept = default;
JobStorage::~JobStorage() = default;

Result<JobStorage> JobStorage::open(const detail::ExecutionPlan& plan, const Config& config,
                                    const RestoreChoice& restore) {
  const detail::LogicalPlan& logical = plan.logical;
  const Duration interval = interval_of(config, logical);
  JobStorage storage;
  storage.settings_ = settings_of(config, interval);
  const bool restores =
      restore.kind == RestoreChoice::Kind::kLatest || restore.kind == RestoreChoice::Kind::kPath;
  const bool saves = restore.takes_savepoints || !config.get(kSavepointDirectory).empty();
  const bool checkpoints = interval.count() > 0 || restores || saves;
  if (!checkpoints && !spills(config, logical)) return storage;
  const fs::path directory = directory_of(config, logical.job);
  storage.stores_ = std::make_unique<Stores>(directory);
  Stores& stores = *storage.stores_;
  Result<detail::DirectoryLock> lock = detail::DirectoryLock::take(stores.files, directory);
  if (!lock) return lock.error();
  stores.lock = *std::move(lock);
  if (Status opened = storage.open_local(directory / "local", config); !opened) {
    return opened.error();
  }
  if (!checkpoints) return storage;
  storage.settings_.checkpoint_store = &stores.checkpoints;
  storage.settings_.metadata_store = &stores.metadata;
  storage.settings_.savepoints = &stores.savepoints;
  storage.settings_.allow_dropped_state = restore.allow_dropped_state;
  storage.settings_.allow_repeated_output = restore.allow_repeated_output;
  Result<std::optional<detail::JobRecord>> record = stores.metadata.read(logical.job);
  if (!record) return record.error();
  Result<detail::RestoreFrom> from = restore_from(restore, directory, *record);
  if (!from) return from.error();
  storage.settings_.restore = *from;
  return storage;
}

ExecutionSettings execution_settings(const Config& config, const detail::LogicalPlan& plan) {
  return settings_of(config, interval_of(config, plan));
}

Result<JobStorage> JobStorage::open_shared(const detail::LogicalPlan& plan, const Config& config,
                                           const SharedPlaces& places) {
  JobStorage storage;
  storage.settings_ = settings_of(config, interval_of(config, plan));
  const bool checkpoints = !places.checkpoints.empty();
  if (!checkpoints && !spills(config, plan)) return storage;
  storage.stores_ = std::make_unique<Stores>(places.checkpoints);
  Status opened = storage.open_local(places.local, config);
  if (!opened) return opened.error();
  if (!checkpoints) return storage;
  Stores& stores = *storage.stores_;
  storage.settings_.checkpoint_store = &stores.checkpoints;
  if (config.get(kLocalRecovery) && !places.copies.empty()) {
    stores.copies.emplace(stores.files, stores.checkpoints, places.copies);
    storage.settings_.checkpoint_store = &*stores.copies;
  }
  storage.settings_.savepoints = &stores.savepoints;
  return storage;
}

Status JobStorage::open_local(const fs::path& local, const Config& config) {
  auto states = detail::RocksDbStoreFactory::open(local);
  if (!states) return states.error();
  stores_->states = *std::move(states);
  settings_.state_stores = stores_->states.get();
  settings_.state_memory = state_memory(config);
  return {};
}

std::string savepoint_directory(const Config& config, const std::string& job) {
  const std::string asked = config.get(kSavepointDirectory);
  return asked.empty() ? directory_of(config, job).native() : asked;
}

}  // namespace millrace
