#include "millrace/launch/cluster_coordinator.h"

#include <algorithm>
#include <fstream>
#include <future>
#include <thread>
#include <utility>

#include "millrace/coordination/directory_savepoints.h"
#include "millrace/coordination/document_metadata_store.h"
#include "millrace/core/config/options.h"
#include "millrace/core/sha256.h"
#include "millrace/core/text.h"
#include "millrace/launch/job_storage.h"
#include "millrace/plan/plan_codec.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/sealed_record.h"

namespace millrace {
namespace {

using detail::JobPhase;
using detail::JobState;
namespace fs = std::filesystem;

constexpr detail::SealedFormat kSubmittedFormat{
    .magic = "MILLRJOB", .version = 1, .what = "record of a submitted job"};
constexpr detail::SealedFormat kEndedFormat{
    .magic = "MILLREND", .version = 1, .what = "record of a job's end"};
constexpr std::size_t kArtifactPart = std::size_t{1} << 20;
constexpr std::uint64_t kLogBytes = 64 << 10;  // of each process
constexpr std::chrono::milliseconds kLogWait{2'000};
constexpr std::chrono::milliseconds kPauseOfAttempts{500};

// What the settings of a running job borrow.
struct Stores {
  Stores(detail::FileSystem& files, const fs::path& directory, detail::DocumentStore& documents,
         LeaderEpoch epoch)
      : checkpoints(files, directory), metadata(documents, epoch), savepoints(files) {}

  detail::DirectoryCheckpointStore checkpoints;
  detail::DocumentMetadataStore metadata;
  detail::DirectorySavepoints savepoints;
};

std::string submission_path(std::string_view id) {
  return detail::document_path("submissions", id);
}
std::string result_path(std::string_view id) { return detail::document_path("results", id); }

bool is_job_id(std::string_view id) {
  constexpr std::size_t kDigits = 32;
  return id.size() == kDigits && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<Config> config_of(const std::vector<detail::Setting>& settings) {
  ConfigSources sources;
  for (const detail::Setting& setting : settings) {
    sources.flags.push_back({setting.key, setting.text});
  }
  return Config::load(kEngineOptions, sources);
}

JobPhase phase_of(JobState state) {
  switch (state) {
    case JobState::kStarting:
      return JobPhase::kStarting;
    case JobState::kRunning:
      return JobPhase::kRunning;
    case JobState::kRestarting:
      return JobPhase::kRestarting;
    case JobState::kFinished:
      return JobPhase::kFinished;
    case JobState::kFailed:
      return JobPhase::kFailed;
    case JobState::kCancelled:
      return JobPhase::kCancelled;
    case JobState::kStopped:
      return JobPhase::kStopped;
    case JobState::kFinishing:
    case JobState::kFailing:
    case JobState::kCancelling:
    case JobState::kStopping:
      break;
  }
  return JobPhase::kEnding;
}

constexpr std::pair<JobPhase, std::string_view> kEnds[] = {{JobPhase::kFinished, "finished"},
                                                           {JobPhase::kStopped, "stopped"},
                                                           {JobPhase::kCancelled, "cancelled"},
                                                           {JobPhase::kFailed, "failed"}};

std::string_view word_of(JobPhase phase) {
  const auto* const end =
      std::ranges::find(kEnds, phase, [](const auto& entry) { return entry.first; });
  return end == std::end(kEnds) ? "failed" : end->second;
}
JobPhase phase_named(std::string_view word) {
  const auto* const end =
      std::ranges::find(kEnds, word, [](const auto& entry) { return entry.second; });
  return end == std::end(kEnds) ? JobPhase::kFailed : end->first;
}

Error unknown_job(std::string_view id) {
  return not_found(concat("there is no job ", id, "; see the list of jobs for their ids"));
}

Error has_ended(std::string_view phase) {
  return invalid_argument(concat("the job has ended: it is ", phase));
}

Error other_job(std::string_view id) {
  return invalid_argument(
      concat("the id ", id, " is another job's; choose a new one, or leave it out"));
}

Error not_leading(std::string_view known) {
  return unavailable(concat("this coordinator does not lead",
                            known.empty() ? "" : "; the one that does is at ", known));
}

}  // namespace

Result<std::unique_ptr<ClusterCoordinator>> ClusterCoordinator::make(
    const Config& config, ClusterCoordinatorSettings settings, const Logging& logging) {
  const detail::LinkedProcess process = settings.process;
  std::unique_ptr<ClusterCoordinator> made(
      new ClusterCoordinator(config, std::move(settings), logging));
  ClusterCoordinator& self = *made;
  for (const char* const folder : {"artifacts", "checkpoints"}) {
    Status status = self.files_.make_directories(self.settings_.directory / folder);
    if (!status) return status.error();
  }
  const fs::path agreed = config.get(kHighAvailabilityDirectory);
  auto shared = detail::open_high_availability(
      config, self.files_, agreed.empty() ? self.settings_.directory / "leader" : agreed,
      self.log_);
  if (!shared) return shared.error();
  self.shared_ = *std::move(shared);
  detail::CoordinatorEvents events{
      .watch = [&self](const std::string& id,
                       const detail::JobView& view) { self.on_view(id, view); },
      .waits = [&self](const std::string& id, const std::string& why) { self.on_waits(id, why); },
      .ended = [&self](const std::string& id, const Status& status) { self.on_ended(id, status); },
      .read_artifact = [&self](
                           const std::string& artifact,
                           std::uint64_t offset) { return self.read_artifact(artifact, offset); }};
  auto system = detail::CoordinatorSystem::make(process, std::move(events), logging);
  if (!system) return system.error();
  self.system_ = *std::move(system);
  return made;
}

ClusterCoordinator::ClusterCoordinator(const Config& config, ClusterCoordinatorSettings settings,
                                       const Logging& logging)
    : config_(config), settings_(std::move(settings)), log_(logging.logger("coordinator")) {}

// Nothing new begins without the lead; what is under way uses the actors, and those the documents.
ClusterCoordinator::~ClusterCoordinator() {
  if (shared_.election) shared_.election->resign();
  {
    const std::lock_guard lock(mutex_);
    epoch_.reset();
  }
  std::promise<void> drained;
  calls_.execute([&] { drained.set_value(); });
  drained.get_future().wait();
  system_.reset();
}

void ClusterCoordinator::stand(const std::string& rest_address) {
  const detail::LeaderAddress address{.links = to_string(links()), .rest = rest_address};
  shared_.election->join(to_string(address),
                         [this](const detail::LeadershipEvent& event) { on_leadership(event); });
}

// --- the lead ---

void ClusterCoordinator::on_leadership(const detail::LeadershipEvent& event) {
  if (const auto* elected = std::get_if<detail::Elected>(&event)) {
    {
      const std::lock_guard lock(mutex_);
      epoch_ = elected->epoch;
    }
    system_->lead(elected->epoch);
    calls_.execute([this, epoch = elected->epoch] { take_lead(epoch); });
  } else if (const auto* deposed = std::get_if<detail::Deposed>(&event)) {
    log_.warn("deposed", {{"why", deposed->why}});
    system_->lead_no_more();
    const std::lock_guard lock(mutex_);
    epoch_.reset();
    jobs_.clear();
  } else if (const auto* frozen = std::get_if<detail::Frozen>(&event)) {
    log_.warn("frozen", {{"why", frozen->why}});
  } else if (const auto* known = std::get_if<detail::LeaderKnown>(&event)) {
    const std::lock_guard lock(mutex_);
    known_ = *known;
  }
}

bool ClusterCoordinator::leads(LeaderEpoch epoch) const {
  const std::lock_guard lock(mutex_);
  return epoch_ == epoch;
}

template <class Call>
auto ClusterCoordinator::persist(LeaderEpoch epoch, Call call) -> decltype(call()) {
  for (;;) {
    auto result = call();
    if (result || result.error().code() != ErrorCode::kUnavailable || !leads(epoch)) return result;
    log_.warn("trying again", {{"error", result.error().message()}});
    std::this_thread::sleep_for(kPauseOfAttempts);
  }
}

void ClusterCoordinator::take_lead(LeaderEpoch epoch) {
  log_.info("leading", {{"epoch", epoch}});
  const auto ids = persist(epoch, [&] { return shared_.documents->list("submissions"); });
  if (!ids) return log_.error("cannot list the jobs", {{"error", ids.error().message()}});
  for (const std::string& id : *ids) {
    if (!leads(epoch)) return;
    const Status resumed = persist(epoch, [&] { return resume(id, epoch); });
    if (resumed || !leads(epoch)) continue;
    log_.error("cannot go on with a job", {{"job", id}, {"error", resumed.error().message()}});
    give_up(id, {.submission = {.id = id, .name = id}}, resumed.error());
  }
  system_->jobs_known(epoch);
}

// It is seen as failed by who asks; the next leader tries again.
void ClusterCoordinator::give_up(const std::string& id, Submitted submitted, const Error& error) {
  const std::lock_guard lock(mutex_);
  Job& job = jobs_[id];
  if (job.submitted.submission.id.empty()) job.submitted = std::move(submitted);
  if (job.name.empty()) job.name = job.submitted.submission.name;
  job.ended = Ended{.phase = "failed", .reason = error.message(), .at = clock_.now()};
}

Result<ClusterCoordinator::Submitted> ClusterCoordinator::read_submitted(
    const std::string& id, detail::DocumentVersion& version) {
  const auto document = shared_.documents->read(submission_path(id));
  if (!document) return document.error();
  if (!*document) return unknown_job(id);
  version = (*document)->version;
  return detail::unseal<Submitted>(kSubmittedFormat, (*document)->bytes, id);
}

Result<std::optional<detail::JobRecord>> ClusterCoordinator::record_of(const std::string& id,
                                                                       LeaderEpoch epoch) {
  return detail::DocumentMetadataStore(*shared_.documents, epoch).read(id);
}

// The record says how it ended where there was no time to keep the result. One that says
// "cancelled" although nobody asked for it was to go on with another parallelism.
Status ClusterCoordinator::resume(const std::string& id, LeaderEpoch epoch) {
  Job job;
  Result<Submitted> submitted = read_submitted(id, job.version);
  if (!submitted) return submitted.error();
  job.submitted = *std::move(submitted);
  job.name = job.submitted.submission.name;
  const auto result = shared_.documents->read(result_path(id));
  if (!result) return result.error();
  const auto record = record_of(id, epoch);
  if (!record) return record.error();
  if (*result) {
    auto ended = detail::unseal<Ended>(kEndedFormat, (*result)->bytes, id);
    if (!ended) return ended.error();
    job.ended = *std::move(ended);
  } else if (*record && (*record)->state != "running" &&
             ((*record)->state != "cancelled" || job.submitted.cancelled)) {
    job.ended = Ended{.phase = (*record)->state, .reason = {}, .at = clock_.now()};
  } else if (job.submitted.cancelled) {
    job.ended = Ended{.phase = "cancelled", .reason = {}, .at = clock_.now()};
  }
  if (!job.ended) return start(std::move(job), epoch, record->has_value(), true);
  keep_result(id, *job.ended, epoch);
  const std::lock_guard lock(mutex_);
  if (epoch_ == epoch) jobs_.insert_or_assign(id, std::move(job));
  return {};
}

Result<LeaderEpoch> ClusterCoordinator::leading() const {
  const std::lock_guard lock(mutex_);
  if (epoch_) return *epoch_;
  return not_leading(known_.address);
}

detail::LeaderReport ClusterCoordinator::leader() {
  const std::lock_guard lock(mutex_);
  detail::LeaderReport report{.here = epoch_.has_value(), .rest_address = {}};
  const auto address = detail::parse_leader_address(known_.address);
  if (address) report.rest_address = address->rest;
  return report;
}

// --- executables ---

Result<bool> ClusterCoordinator::has_artifact(std::string_view sha256) {
  std::error_code error;
  return is_sha256(sha256) && fs::exists(settings_.directory / "artifacts" / sha256, error);
}

Status ClusterCoordinator::put_artifact(std::string_view sha256, const Parts& next) {
  if (!is_sha256(sha256)) {
    return invalid_argument(concat(in_quotes(sha256), " is no SHA-256: 64 hexadecimal digits"));
  }
  const fs::path folder = settings_.directory / "artifacts";
  const fs::path temporary = folder / concat(".", files_.unique_name());
  Sha256 hash;
  std::ofstream out(temporary, std::ios::binary);
  Status status;
  while (status) {
    Result<std::string> part = next();
    if (!part) status = part.error();
    if (!part || part->empty()) break;
    hash.add(*part);
    out << *part;
  }
  out.close();
  if (status && !out) {
    status = resource_exhausted(concat("cannot write ", in_quotes(temporary.native()),
                                       "; free space on that disk and check its permissions"));
  }
  const std::string sent = hash.take();
  if (status && sent != sha256) {
    status = corruption(
        concat("what was sent has the SHA-256 ", sent, ", and not ", sha256, "; send it again"));
  }
  const fs::path durable = folder / concat(".", files_.unique_name());
  if (status) status = files_.link_or_copy(temporary, durable);
  (void)files_.remove(temporary);
  if (status) status = files_.rename(durable, folder / sha256);
  return status ? files_.sync_directory(folder) : status;
}

Result<std::string> ClusterCoordinator::read_artifact(const std::string& artifact,
                                                      std::uint64_t offset) const {
  const fs::path path = settings_.directory / "artifacts" / artifact;
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  std::string bytes(kArtifactPart, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!in && !in.eof()) return unavailable(concat("cannot read ", in_quotes(path.native())));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return bytes;
}

// --- jobs ---

Result<ClusterCoordinator::Opened> ClusterCoordinator::open(const Submitted& submitted,
                                                            LeaderEpoch epoch, bool again) {
  const detail::JobSubmission& submission = submitted.submission;
  const auto description = detail::decode_submission(submission.description, submission.name);
  if (!description) return description.error();
  Result<detail::LogicalPlan> plan = detail::decode_logical_plan(description->plan);
  if (!plan) return plan.error();
  const Result<Config> config = config_of(description->settings);
  if (!config) return config.error();
  if (submitted.parallelism != 0) plan->parallelism = submitted.parallelism;
  if (submitted.max_parallelism != 0) plan->max_parallelism = submitted.max_parallelism;
  Result<detail::ExecutionPlan> planned = detail::make_execution_plan(*plan);
  if (!planned) return planned.error();
  // It decides where keys go: from now on it stays as it is.
  plan->max_parallelism = planned->max_parallelism;
  planned->logical.max_parallelism = planned->max_parallelism;

  const std::string asked = config->get(kCheckpointDirectory);
  const fs::path checkpoints =
      (asked.empty() ? settings_.directory / "checkpoints" : fs::path(asked)) / submission.id;
  auto stores = std::make_shared<Stores>(files_, checkpoints, *shared_.documents, epoch);
  detail::ExecutionSettings execution = execution_settings(*config, *plan);
  execution.checkpoint_store = &stores->checkpoints;
  execution.metadata_store = &stores->metadata;
  execution.savepoints = &stores->savepoints;
  execution.allow_dropped_state = submission.allow_dropped_state;
  execution.allow_repeated_output = submission.allow_repeated_output;
  execution.restore = detail::RestoreFromNothing();
  if (again || submission.restore == "latest") {
    execution.restore = detail::RestoreFromLatest();
  } else if (!submission.restore.empty() && submission.restore != "none") {
    execution.restore = detail::RestoreFromPath{
        (fs::path(submission.directory) / submission.restore).lexically_normal().native()};
  }
  std::error_code error;
  const std::uintmax_t size =
      fs::file_size(settings_.directory / "artifacts" / submission.artifact, error);
  if (error) {
    return not_found(concat("the executable ", submission.artifact,
                            " is not in the cluster's store; upload it first"));
  }
  detail::StartHost host{.host = {},
                         .artifact = submission.artifact,
                         .artifact_bytes = size,
                         .arguments = submission.arguments,
                         .directory = submission.directory,
                         .plan = detail::encode(*plan),
                         .settings = description->settings,
                         .coordinator = {},
                         .checkpoints = checkpoints.native()};
  detail::ClusterJob job{.id = submission.id,
                         .epoch = epoch,
                         .has_run = again,
                         .may_run = false,
                         .mark = detail::plan_mark(host.plan),
                         .plan = std::make_shared<const detail::ExecutionPlan>(*std::move(planned)),
                         .execution = std::move(execution),
                         .stores = std::move(stores),
                         .host = std::move(host)};
  return Opened{std::move(job), *std::move(plan)};
}

Status ClusterCoordinator::keep(Job& job, LeaderEpoch epoch) {
  const Result<std::string> bytes = detail::seal(kSubmittedFormat, job.submitted);
  if (!bytes) return bytes.error();
  const std::string& id = job.submitted.submission.id;
  const auto version = shared_.documents->write(submission_path(id), job.version, *bytes, epoch);
  if (!version) return version.error().with_context("keeping the job");
  job.version = *version;
  return {};
}

// Has it kept, and run; `again` if it has run before, and its tasks may run still.
Status ClusterCoordinator::start(Job job, LeaderEpoch epoch, bool again, bool may_run) {
  Result<Opened> opened = open(job.submitted, epoch, again);
  if (!opened) return opened.error();
  if (job.version == detail::kNoDocument || job.submitted.max_parallelism == 0) {
    job.submitted.max_parallelism = opened->plan.max_parallelism;
    if (Status kept = keep(job, epoch); !kept) return kept;
  }
  opened->job.may_run = may_run && again;
  job.plan = opened->job.plan;
  if (job.name.empty()) job.name = opened->plan.job;
  const std::string id = job.submitted.submission.id;
  {
    const std::lock_guard lock(mutex_);
    if (epoch_ != epoch) return not_leading(known_.address);
    jobs_.insert_or_assign(id, std::move(job));
  }
  system_->run(std::move(opened->job));
  return {};
}

Result<bool> ClusterCoordinator::submit(const detail::JobSubmission& submission) {
  const Result<LeaderEpoch> epoch = leading();
  if (!epoch) return epoch.error();
  if (!is_job_id(submission.id)) {
    return invalid_argument(concat("a job's id is 32 hexadecimal digits in lower case, and not ",
                                   in_quotes(submission.id)));
  }
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = jobs_.find(submission.id); known != jobs_.end()) {
      if (known->second.submitted.submission == submission) return false;
      return invalid_argument(
          concat("the id ", submission.id, " is another job's; choose a new one, or leave it out"));
    }
  }
  Job job{.submitted = {.submission = submission,
                        .parallelism = submission.parallelism.value_or(0),
                        .max_parallelism = 0,
                        .at = clock_.now()},
          .version = detail::kNoDocument,
          .name = {},
          .plan = {}};
  Status started = start(job, *epoch, false);
  if (started) return true;
  // Its reply may have been lost, now or when the same was handed in before.
  const auto kept = persist(*epoch, [&] { return read_submitted(submission.id, job.version); });
  if (!kept) return started.error();
  if (kept->submission != submission) return other_job(submission.id);
  job.submitted = *kept;
  started = persist(*epoch, [&] { return start(job, *epoch, false); });
  if (!started) return started.error();
  return false;
}

template <class Use>
auto ClusterCoordinator::with_job(std::string_view id, Use use)
    -> decltype(use(std::declval<Job&>())) {
  const std::lock_guard lock(mutex_);
  if (!epoch_) return not_leading(known_.address);
  const auto job = jobs_.find(std::string(id));
  if (job == jobs_.end()) return unknown_job(id);
  return use(job->second);
}

// What was asked for is kept first: the next leader is to know it too.
Status ClusterCoordinator::cancel(std::string_view id) {
  const std::lock_guard one_at_a_time(changes_);
  Job job;
  LeaderEpoch epoch;
  Status known = with_job(id, [&](Job& found) -> Status {
    if (found.ended) return has_ended(found.ended->phase);
    job = found;
    epoch = *epoch_;
    return {};
  });
  if (!known) return known;
  job.submitted.cancelled = true;
  if (Status kept = keep(job, epoch); !kept) return kept;
  known = with_job(id, [&](Job& found) -> Status {
    found.submitted = job.submitted;
    found.version = job.version;
    found.rescales = false;
    return {};
  });
  system_->cancel(std::string(id));
  return known;
}

Result<std::string> ClusterCoordinator::take_savepoint(std::string_view id,
                                                       const SavepointWish& wish) {
  std::string request;
  std::string path;
  Status known = with_job(id, [&](Job& job) -> Status {
    if (job.ended) return has_ended(job.ended->phase);
    request = concat(epoch_->value(), "-", ++next_savepoint_);
    const fs::path folder =
        wish.directory.empty() ? settings_.directory / "savepoints" : fs::path(wish.directory);
    path = (folder / concat("savepoint-", id.substr(0, 8), "-", request)).native();
    job.savepoints[request] = {};
    return {};
  });
  if (!known) return known.error();
  const auto then = !wish.stop   ? detail::AfterSavepoint::kGoOn
                    : wish.drain ? detail::AfterSavepoint::kDrain
                                 : detail::AfterSavepoint::kStop;
  system_->savepoint(std::string(id), {.path = path, .then = then},
                     [this, request, path, id = std::string(id)](const Status& status) {
                       (void)with_job(id, [&](Job& job) -> Status {
                         detail::SavepointReport& report = job.savepoints[request];
                         report.completed = true;
                         (status ? report.path : report.failure) =
                             status ? path : status.error().message();
                         return {};
                       });
                     });
  return request;
}

Result<detail::SavepointReport> ClusterCoordinator::savepoint(std::string_view id,
                                                              std::string_view request) {
  return with_job(id, [&](Job& job) -> Result<detail::SavepointReport> {
    const auto found = job.savepoints.find(std::string(request));
    if (found != job.savepoints.end()) return found->second;
    return not_found(concat("no savepoint ", request,
                            " of that job was asked for, of this leader; ask for one"));
  });
}

// The parallelism is kept first, and then its tasks are ended: its record says "cancelled", though
// nobody asked for that, until it is claimed anew.
Status ClusterCoordinator::rescale(std::string_view id, std::uint32_t parallelism) {
  const std::lock_guard one_at_a_time(changes_);
  Job job;
  LeaderEpoch epoch;
  Status accepted = with_job(id, [&](Job& found) -> Status {
    if (found.ended) return has_ended(found.ended->phase);
    if (found.submitted.cancelled) return has_ended("being cancelled");
    if (found.rescales) {
      return unavailable("the job is being rescaled already; try again in a moment");
    }
    const std::uint32_t most = found.plan->max_parallelism;
    if (parallelism == 0 || parallelism > most) {
      return invalid_argument(concat("a parallelism of ", parallelism,
                                     ": this job can have from 1 to ", most,
                                     ", the number of its key groups"));
    }
    job = found;
    epoch = *epoch_;
    return {};
  });
  if (!accepted) return accepted;
  job.submitted.parallelism = parallelism;
  if (Status kept = keep(job, epoch); !kept) return kept;
  accepted = with_job(id, [&](Job& found) -> Status {
    found.submitted = job.submitted;
    found.version = job.version;
    found.rescales = true;
    return {};
  });
  if (accepted) system_->cancel(std::string(id));
  return accepted;
}

void ClusterCoordinator::begin_rescaled(const std::string& id, LeaderEpoch epoch) {
  const std::lock_guard one_at_a_time(changes_);
  Job job;
  const Status found = with_job(id, [&](Job& entry) -> Status {
    job = entry;
    return {};
  });
  if (!found || !leads(epoch)) return;
  if (job.submitted.cancelled) {
    const Ended ended{.phase = "cancelled", .reason = {}, .at = clock_.now()};
    (void)with_job(id, [&](Job& entry) -> Status {
      entry.ended = ended;
      return {};
    });
    return keep_result(id, ended, epoch);
  }
  job.rescales = false;
  job.view = {};
  const Status started = persist(epoch, [&] { return start(job, epoch, true); });
  if (started || !leads(epoch)) return;
  log_.error("cannot rescale a job", {{"job", id}, {"error", started.error().message()}});
  give_up(id, {}, started.error());
}

Result<std::vector<detail::JobReport>> ClusterCoordinator::jobs() {
  const std::lock_guard lock(mutex_);
  if (!epoch_) return not_leading(known_.address);
  std::vector<detail::JobReport> reports;
  for (const auto& [id, job] : jobs_) reports.push_back(report_of(id, job));
  std::ranges::sort(reports, {}, [](const detail::JobReport& report) { return report.started; });
  return reports;
}

Result<detail::JobReport> ClusterCoordinator::job(std::string_view id) {
  Result<detail::JobReport> report = with_job(
      id, [&](Job& job) -> Result<detail::JobReport> { return report_of(std::string(id), job); });
  if (!report || report->tasks.empty()) return report;
  const std::vector<std::string> workers = system_->workers_of(std::string(id));
  for (detail::TaskReport& task : report->tasks) {
    task.hosts.assign(workers.begin(),
                      workers.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                            workers.size(), task.parallelism)));
  }
  return report;
}

detail::JobReport ClusterCoordinator::report_of(const std::string& id, const Job& job) const {
  detail::JobReport report{.id = id,
                           .name = job.name,
                           .phase = phase_of(job.view.state),
                           .reason = job.view.trouble,
                           .started = job.submitted.at,
                           .ended = std::nullopt,
                           .attempt = job.view.attempt,
                           .parallelism = job.submitted.parallelism,
                           .completed_checkpoints = job.view.completed_checkpoints,
                           .tasks = {},
                           .checkpoints = {}};
  const bool begins = report.phase == JobPhase::kStarting || report.phase == JobPhase::kRestarting;
  if (begins && !job.waits.empty()) {
    report.phase = JobPhase::kWaiting;
    report.reason = job.waits;
  }
  if (job.ended) {
    report.phase = phase_named(job.ended->phase);
    report.reason = job.ended->reason;
    report.ended = job.ended->at;
  }
  if (!job.plan) return report;
  if (report.parallelism == 0) report.parallelism = job.plan->logical.parallelism;
  for (std::size_t i = 0; i < job.plan->tasks.size(); ++i) {
    const detail::TaskSpec& task = job.plan->tasks[i];
    report.tasks.push_back(
        {.id = std::to_string(i), .name = task.name, .parallelism = task.parallelism, .hosts = {}});
  }
  return report;
}

void ClusterCoordinator::on_view(const std::string& id, const detail::JobView& view) {
  (void)with_job(id, [&](Job& job) -> Status {
    job.view = view;
    return {};
  });
}

void ClusterCoordinator::on_waits(const std::string& id, const std::string& reason) {
  (void)with_job(id, [&](Job& job) -> Status {
    job.waits = reason;
    return {};
  });
}

void ClusterCoordinator::on_ended(const std::string& id, const Status& status) {
  (void)with_job(id, [&](Job& job) -> Status {
    for (auto& [request, report] : job.savepoints) {
      if (report.completed) continue;
      report.completed = true;
      report.failure = "the job has ended before";
    }
    if (job.rescales && job.view.state == JobState::kCancelled) {
      calls_.execute([this, id, epoch = *epoch_] { begin_rescaled(id, epoch); });
      return {};
    }
    const JobPhase phase = status ? phase_of(job.view.state)
                           : status.error().code() == ErrorCode::kCancelled ? JobPhase::kCancelled
                                                                            : JobPhase::kFailed;
    job.ended = Ended{.phase = std::string(word_of(phase)),
                      .reason = status ? "" : status.error().message(),
                      .at = clock_.now()};
    calls_.execute(
        [this, id, ended = *job.ended, epoch = *epoch_] { keep_result(id, ended, epoch); });
    return {};
  });
}

void ClusterCoordinator::keep_result(const std::string& id, const Ended& ended, LeaderEpoch epoch) {
  log_.info("job ended", {{"job", id}, {"state", ended.phase}, {"reason", ended.reason}});
  const Result<std::string> bytes = detail::seal(kEndedFormat, ended);
  if (!bytes) return log_.error("cannot keep a result", {{"error", bytes.error().message()}});
  const auto kept = persist(epoch, [&] {
    return shared_.documents->write(result_path(id), detail::kNoDocument, *bytes, epoch);
  });
  if (kept || kept.error().code() == ErrorCode::kCancelled) return;  // it is there, or was before
  log_.error("cannot keep a result", {{"job", id}, {"error", kept.error().message()}});
}

Result<std::string> ClusterCoordinator::logs(std::string_view id, std::size_t lines) {
  Status known = with_job(id, [](Job&) -> Status { return {}; });
  if (!known) return known.error();
  std::string text = system_->log(std::string(id), kLogBytes, kLogWait);
  std::size_t from = text.size();
  for (std::size_t left = lines + 1; left > 0 && from != std::string::npos && from > 0; --left) {
    from = text.rfind('\n', from - 1);
  }
  return from == std::string::npos || from == 0 ? text : text.substr(from + 1);
}

Result<std::vector<detail::WorkerReport>> ClusterCoordinator::workers() {
  const Result<LeaderEpoch> epoch = leading();
  if (!epoch) return epoch.error();
  std::vector<detail::WorkerReport> reports;
  for (const auto& [id, room] : system_->workers()) {
    reports.push_back({.id = id,
                       .address = {},
                       .slots = room.slots,
                       .free_slots = room.free,
                       .heard = clock_.now()});
  }
  return reports;
}

}  // namespace millrace
