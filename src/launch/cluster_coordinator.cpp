#include "millrace/launch/cluster_coordinator.h"

#include <algorithm>
#include <future>
#include <limits>
#include <set>
#include <thread>
#include <utility>

#include "millrace/coordination/job_retention.h"
#include "millrace/core/config/options.h"
#include "millrace/core/failpoint.h"
#include "millrace/core/text.h"

namespace millrace {
namespace {

using detail::JobEnd;
using detail::JobState;
using detail::SubmittedJob;
namespace fs = std::filesystem;

constexpr std::uint64_t kLogBytes = 64 << 10;  // of each process
constexpr std::chrono::milliseconds kLogWait{2'000};
constexpr std::chrono::milliseconds kPauseOfAttempts{500};
constexpr int kTriesToOpen = 20;
constexpr std::chrono::seconds kPatienceWithRescale{20};
constexpr std::size_t kMostSavepoints = 100;  // of a job, whose outcome is remembered

bool is_job_id(std::string_view id) {
  constexpr std::size_t kDigits = 32;
  return id.size() == kDigits && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Error has_ended(std::string_view phase) {
  return invalid_argument(concat("the job has ended: it is ", phase));
}

Error other_job(std::string_view id) {
  return invalid_argument(
      concat("the id ", id, " is another job's; choose a new one, or leave it out"));
}

detail::SavepointReport* find_savepoint(KnownJob& job, std::string_view request) {
  const auto found =
      std::ranges::find(job.savepoints, request, [](const auto& entry) { return entry.first; });
  return found == job.savepoints.end() ? nullptr : &found->second;
}

// Why the job cannot be rescaled so.
Status check_rescale(const KnownJob& job, std::uint32_t parallelism) {
  if (job.ended) return has_ended(job.ended->phase);
  if (job.submitted.cancelled) return has_ended("being cancelled");
  if (job.put_off) return unavailable(job.waits);
  if (!job.plan) return unavailable("the job is being started; try again in a moment");
  const std::uint32_t most = job.plan->max_parallelism;
  if (parallelism == 0 || parallelism > most) {
    return invalid_argument(concat("a parallelism of ", parallelism,
                                   ": this job can have from 1 to ", most,
                                   ", the number of its key groups"));
  }
  if (!job.rescale || job.rescale->parallelism == parallelism) return {};
  return unavailable(concat("the job is being rescaled to ", job.rescale->parallelism,
                            " already; try again in a moment"));
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
      .read_artifact =
          [&self](const std::string& artifact, std::uint64_t offset) {
            return self.artifacts_.read(artifact, offset);
          }};
  auto system = detail::CoordinatorSystem::make(process, std::move(events), logging);
  if (!system) return system.error();
  self.system_ = *std::move(system);
  self.tending_.emplace(JobTending::Parts{
      .config = self.config_,
      .clock = self.clock_,
      .log = self.log_,
      .jobs = self.jobs_,
      .artifacts = self.artifacts_,
      .system = *self.system_,
      .forget = [&self](const std::string& id, LeaderEpoch epoch) { self.forget(id, epoch); },
      .try_again = [&self](const std::string& id, LeaderEpoch epoch) { self.try_again(id, epoch); },
      .rescale =
          [&self](const std::string& id, std::uint32_t parallelism) {
            const auto asked = self.ask_to_rescale(id, parallelism, Wish::kToAdapt);
            return asked ? Status() : Status(asked.error());
          }});
  return made;
}

ClusterCoordinator::ClusterCoordinator(const Config& config, ClusterCoordinatorSettings settings,
                                       const Logging& logging)
    : config_(config),
      settings_(std::move(settings)),
      log_(logging.logger("coordinator")),
      artifacts_(files_, settings_.directory / "artifacts") {}

// Nothing new begins without the lead; what is under way uses the actors, and those the documents.
ClusterCoordinator::~ClusterCoordinator() {
  if (shared_.election) shared_.election->resign();
  jobs_.lead_no_more();
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
    jobs_.lead(elected->epoch);
    system_->lead(elected->epoch);
    calls_.execute([this, epoch = elected->epoch] { take_lead(epoch); });
  } else if (const auto* deposed = std::get_if<detail::Deposed>(&event)) {
    log_.warn("deposed", {{"why", deposed->why}});
    system_->lead_no_more();
    jobs_.lead_no_more();
  } else if (const auto* frozen = std::get_if<detail::Frozen>(&event)) {
    log_.warn("frozen", {{"why", frozen->why}});
    jobs_.note_trouble(frozen->why);
  } else if (std::holds_alternative<detail::Thawed>(event)) {
    jobs_.note_trouble({});
  } else if (const auto* known = std::get_if<detail::LeaderKnown>(&event)) {
    jobs_.note_leader(*known);
  }
}

template <class Call>
auto ClusterCoordinator::persist(LeaderEpoch epoch, Call call, Persistence persistence)
    -> decltype(call()) {
  for (std::string said;;) {
    auto result = call();
    if (result || !jobs_.leads(epoch)) return result;
    const bool may_pass = persistence == Persistence::kWhateverFails ||
                          result.error().code() == ErrorCode::kUnavailable;
    if (!may_pass) return result;
    if (said != result.error().message()) {
      said = result.error().message();
      log_.warn("trying again and again", {{"error", said}});
    }
    std::this_thread::sleep_for(kPauseOfAttempts);
  }
}

void ClusterCoordinator::take_lead(LeaderEpoch epoch) {
  log_.info("leading", {{"epoch", epoch}});
  // A leader that does not know the jobs is of no use, and nobody else leads while it does.
  const auto ids = persist(
      epoch, [&] { return documents(epoch).ids(); }, Persistence::kWhateverFails);
  if (!ids) return;
  for (const std::string& id : *ids) {
    const std::lock_guard one_at_a_time(changes_);
    if (!jobs_.leads(epoch)) return;
    if (jobs_.find(id)) continue;  // it was handed in again
    const Status resumed = persist(epoch, [&] { return resume(id, epoch); });
    if (resumed || !jobs_.leads(epoch)) continue;
    put_off(known_or_new(id), resumed.error(), epoch);
  }
  system_->jobs_known(epoch);
  jobs_.know_all(epoch);
  const Status forgotten = persist(epoch, [&] { return documents(epoch).forget_remains(); });
  if (!forgotten) log_.warn("cannot tidy up", {{"error", forgotten.error().message()}});
}

// Whatever the reason is, such as a disk that is not there, it may pass: nothing ends a job but its
// own failure, and people.
void ClusterCoordinator::put_off(KnownJob job, const Error& error, LeaderEpoch epoch) {
  const std::string& id = job.submitted.submission.id;
  if (job.name.empty()) job.name = id;
  const std::string why = concat("it cannot go on now, which is tried again: ", error.message());
  if (job.waits != why) log_.error("cannot go on with a job", {{"job", id}, {"why", why}});
  job.view = {};
  job.rescale = nullptr;
  job.waits = why;
  job.put_off = true;
  (void)jobs_.put(std::move(job), epoch);
}

KnownJob ClusterCoordinator::known_or_new(const std::string& id) {
  Result<KnownJob> known = jobs_.find(id);
  if (known) return *std::move(known);
  KnownJob job;
  job.submitted.submission.id = id;
  return job;
}

void ClusterCoordinator::try_again(const std::string& id, LeaderEpoch epoch) {
  const std::lock_guard one_at_a_time(changes_);
  const Result<KnownJob> job = jobs_.find(id);
  if (!job || !job->put_off || !jobs_.leads(epoch)) return;
  const Status resumed = persist(epoch, [&] { return resume(id, epoch); });
  if (!resumed && jobs_.leads(epoch)) put_off(known_or_new(id), resumed.error(), epoch);
}

// The record says how it ended where there was no time to keep the end.
Status ClusterCoordinator::resume(const std::string& id, LeaderEpoch epoch) {
  const auto found = documents(epoch).find(id);
  if (!found) return found.error();
  if (!*found) {
    jobs_.erase(id, epoch);
    return {};
  }
  KnownJob job{.submitted = (*found)->job, .version = (*found)->version};
  job.name = job.submitted.submission.name;
  if (const Result<KnownJob> known = jobs_.find(id)) {
    job.put_off = known->put_off;
    job.waits = known->waits;
    job.savepoints = known->savepoints;
  }
  auto end = documents(epoch).end_of(id);
  if (!end) return end.error();
  const auto record = documents(epoch).record_of(id);
  if (!record) return record.error();
  job.ended = *std::move(end);
  job.has_run = *record && !(*record)->completed.empty();
  const std::string state = *record ? (*record)->state : "running";
  if (!job.ended && state != "running" && state != detail::kRescalingState) {
    job.ended = JobEnd{.phase = state, .reason = {}, .at = clock_.now()};
  } else if (!job.ended && job.submitted.cancelled) {
    job.ended = JobEnd{.phase = "cancelled", .reason = {}, .at = clock_.now()};
  }
  if (!job.ended) {
    (void)jobs_.put(job, epoch);
    return start(std::move(job), epoch, record->has_value(), state == "running");
  }
  const JobEnd ended = *job.ended;
  job.put_off = false;
  (void)jobs_.put(std::move(job), epoch);
  keep_end(id, ended, epoch);
  return {};
}

detail::LeaderReport ClusterCoordinator::leader() { return jobs_.leader(); }

// --- executables ---

Result<bool> ClusterCoordinator::has_artifact(std::string_view sha256) {
  return artifacts_.has(sha256);
}

Status ClusterCoordinator::put_artifact(std::string_view sha256, const Parts& next) {
  return artifacts_.put(sha256, next);
}

// --- jobs ---

Status ClusterCoordinator::keep(KnownJob& job, LeaderEpoch epoch) {
  const auto version = documents(epoch).keep(job.submitted, job.version);
  if (!version) return version.error();
  job.version = *version;
  return {};
}

// Keeps what was asked for of a job that goes on as it is.
Status ClusterCoordinator::change(KnownJob job, LeaderEpoch epoch) {
  if (Status kept = keep(job, epoch); !kept) return kept;
  return jobs_.with(job.submitted.submission.id, [&](KnownJob& known) -> Status {
    known.submitted = job.submitted;
    known.version = job.version;
    return {};
  });
}

// What a disk does not show for a moment it may show soon. But other jobs wait behind this one.
Result<detail::ClusterJob> ClusterCoordinator::open_patiently(const KnownJob& job,
                                                              LeaderEpoch epoch, bool again) {
  const int most = job.put_off ? 1 : kTriesToOpen;
  for (int tries = 1;; ++tries) {
    Result<detail::ClusterJob> opened = open_job(places(), job.submitted, epoch, again);
    if (opened || opened.error().code() != ErrorCode::kUnavailable) return opened;
    if (tries == most || !jobs_.leads(epoch)) return internal(opened.error().message());
    std::this_thread::sleep_for(kPauseOfAttempts);
  }
}

// Has it kept, and run; `again` if it has run before, and its tasks may run still.
Status ClusterCoordinator::start(KnownJob job, LeaderEpoch epoch, bool again, bool may_run) {
  Result<detail::ClusterJob> opened = open_patiently(job, epoch, again);
  if (!opened) return opened.error();
  if (job.version == detail::kNoDocument) {
    if (Status free = check_beginning(places(), *opened); !free) return free;
  }
  if (job.version == detail::kNoDocument || job.submitted.max_parallelism == 0) {
    job.submitted.max_parallelism = opened->plan->max_parallelism;
    if (Status kept = keep(job, epoch); !kept) return kept;
    pass(detail::FailPoint::kSubmissionKept);
  }
  opened->may_run = may_run && again && !job.put_off;  // its hosts were ended then
  opened->has_run = job.has_run;
  if (std::exchange(job.put_off, false)) job.waits.clear();
  job.plan = opened->plan;
  job.checkpoints = opened->host.checkpoints;
  if (opened->stabilization) job.adaptive.emplace(*opened->stabilization);
  if (job.name.empty()) job.name = opened->plan->logical.job;
  if (!jobs_.put(std::move(job), epoch)) return unavailable("this coordinator leads no more");
  system_->run(*std::move(opened));
  return {};
}

Result<bool> ClusterCoordinator::submit(const detail::JobSubmission& submission) {
  const Result<LeaderEpoch> epoch = jobs_.leading();
  if (!epoch) return epoch.error();
  if (!is_job_id(submission.id)) {
    return invalid_argument(concat("a job's id is 32 hexadecimal digits in lower case, and not ",
                                   in_quotes(submission.id)));
  }
  const std::lock_guard one_at_a_time(changes_);
  if (const Result<KnownJob> known = jobs_.find(submission.id)) {
    if (known->submitted.submission == submission) return false;
    return other_job(submission.id);
  }
  const SubmittedJob submitted{.submission = submission,
                               .parallelism = submission.parallelism.value_or(0),
                               .max_parallelism = 0,
                               .at = clock_.now()};
  Status started = start({.submitted = submitted}, *epoch, false);
  if (started) return true;
  // Its reply may have been lost, now or when the same was handed in before.
  const auto kept = persist(*epoch, [&] { return documents(*epoch).find(submission.id); });
  if (!kept || !*kept) return started.error();
  if ((*kept)->job.submission != submission) return other_job(submission.id);
  started = persist(*epoch, [&] { return resume(submission.id, *epoch); });
  if (started) return false;
  put_off(known_or_new(submission.id), started.error(), *epoch);
  return started.error();
}

// What was asked for is kept first: the next leader is to know it too.
Status ClusterCoordinator::cancel(std::string_view id) {
  const std::lock_guard one_at_a_time(changes_);
  const Result<LeaderEpoch> epoch = jobs_.leading();
  if (!epoch) return epoch.error();
  Result<KnownJob> job = jobs_.find(id);
  if (!job) return job.error();
  if (job->ended && job->ended->phase == "cancelled") return {};  // it is asked for again
  if (job->ended) return has_ended(job->ended->phase);
  job->submitted.cancelled = true;
  const Status changed = change(*std::move(job), *epoch);
  if (changed) system_->cancel(std::string(id));
  return changed;
}

Result<std::string> ClusterCoordinator::take_savepoint(std::string_view id,
                                                       const SavepointWish& wish) {
  const Result<LeaderEpoch> epoch = jobs_.leading();
  if (!epoch) return epoch.error();
  const std::string request = concat(epoch->value(), "-", ++next_savepoint_);
  std::string path;
  Status known = jobs_.with(id, [&](KnownJob& job) -> Status {
    if (job.ended) return has_ended(job.ended->phase);
    if (job.put_off) return unavailable(job.waits);
    const fs::path folder =
        wish.directory.empty() ? settings_.directory / "savepoints" : fs::path(wish.directory);
    path = (folder / concat("savepoint-", id.substr(0, 8), "-", request)).native();
    job.savepoints.emplace_back(request, detail::SavepointReport());
    if (job.savepoints.size() > kMostSavepoints) job.savepoints.pop_front();
    return {};
  });
  if (!known) return known.error();
  const auto then = !wish.stop   ? detail::AfterSavepoint::kGoOn
                    : wish.drain ? detail::AfterSavepoint::kDrain
                                 : detail::AfterSavepoint::kStop;
  system_->savepoint(std::string(id), {.path = path, .then = then},
                     [this, request, path, id = std::string(id)](const Status& status) {
                       (void)jobs_.with(id, [&](KnownJob& job) -> Status {
                         detail::SavepointReport* const report = find_savepoint(job, request);
                         if (report == nullptr) return {};
                         report->completed = true;
                         (status ? report->path : report->failure) =
                             status ? path : status.error().message();
                         return {};
                       });
                     });
  return request;
}

Result<detail::SavepointReport> ClusterCoordinator::savepoint(std::string_view id,
                                                              std::string_view request) {
  return jobs_.with(id, [&](KnownJob& job) -> Result<detail::SavepointReport> {
    if (const auto* report = find_savepoint(job, request)) return *report;
    return not_found(concat("no savepoint ", request,
                            " of that job was asked for, of this leader; ask for one"));
  });
}

// A checkpoint without records in flight first, behind which its tasks end; only once that is there
// is the new parallelism kept. Whatever fails, the job goes on as it was.
Status ClusterCoordinator::rescale(std::string_view id, std::uint32_t parallelism) {
  const auto outcome = ask_to_rescale(std::string(id), parallelism, Wish::kOfPeople);
  if (!outcome) return outcome.error();
  if (outcome->wait_for(kPatienceWithRescale) == std::future_status::ready) return outcome->get();
  return unavailable(
      "the checkpoint from which the job is to be rescaled is not complete yet "
      "(execution.checkpointing.timeout); ask again to wait for it");
}

// The outcome of the rescaling that is under way, if one is.
Result<std::shared_future<Status>> ClusterCoordinator::ask_to_rescale(const std::string& id,
                                                                      std::uint32_t parallelism,
                                                                      Wish wish) {
  const std::lock_guard one_at_a_time(changes_);
  const Result<LeaderEpoch> epoch = jobs_.leading();
  if (!epoch) return epoch.error();
  Result<KnownJob> job = jobs_.find(id);
  if (!job) return job.error();
  if (Status accepted = check_rescale(*job, parallelism); !accepted) return accepted.error();
  if (job->rescale) return job->rescale->outcome();
  const std::uint32_t wanted = wish == Wish::kToAdapt ? wanted_parallelism_of(*job) : parallelism;
  if (parallelism > wanted) return cancelled("less is wanted by now");
  const auto rescale = std::make_shared<Rescale>(parallelism, wanted);
  if (job->plan->logical.parallelism == parallelism) {
    job->submitted.wanted = wanted;
    rescale->finish(change(*std::move(job), *epoch));
    return rescale->outcome();
  }
  job->submitted.parallelism = parallelism;
  const auto opened = open_job(places(), job->submitted, *epoch, true);
  if (!opened) return opened.error();
  const Status known = jobs_.with(id, [&](KnownJob& found) -> Status {
    found.rescale = rescale;
    return {};
  });
  if (!known) return known.error();
  system_->savepoint(id, {.path = {}, .then = detail::AfterSavepoint::kRescale},
                     [this, id](const Status& status) { on_rescale_prepared(id, status); });
  return rescale->outcome();
}

void ClusterCoordinator::on_rescale_prepared(const std::string& id, const Status& status) {
  (void)jobs_.with(id, [&](KnownJob& job) -> Status {
    if (!job.rescale) return {};
    job.rescale->stops = status.has_value();
    if (!status) std::exchange(job.rescale, nullptr)->finish(status);
    return {};
  });
}

// Its tasks have ended.
void ClusterCoordinator::begin_rescaled(const std::string& id, LeaderEpoch epoch) {
  const std::lock_guard one_at_a_time(changes_);
  KnownJob job;
  const Status found = jobs_.with(id, [&](KnownJob& known) -> Status {
    job = known;
    if (known.submitted.cancelled) {
      known.rescale.reset();
      known.ended = JobEnd{.phase = "cancelled", .reason = {}, .at = clock_.now()};
    }
    return {};
  });
  if (!found || !jobs_.leads(epoch)) return;
  const auto rescale = std::exchange(job.rescale, nullptr);
  if (job.submitted.cancelled) {
    rescale->finish(has_ended("cancelled"));
    return keep_end(id, {.phase = "cancelled", .reason = {}, .at = clock_.now()}, epoch);
  }
  job.view = {};
  KnownJob rescaled = job;
  rescaled.submitted.parallelism = rescale->parallelism;
  rescaled.submitted.wanted = rescale->wanted;
  // Nothing of this is tried for long: the job waits, and may go on as it was.
  const auto opened = open_job(places(), rescaled.submitted, epoch, true);
  Status kept = opened ? check_going_on(*opened) : Status(opened.error());
  if (kept) kept = persist(epoch, [&] { return keep(rescaled, epoch); });
  const KnownJob& goes_on = kept ? rescaled : job;
  const Status started = persist(epoch, [&] { return start(goes_on, epoch, true); });
  rescale->finish(started ? kept : started);
  if (started || !jobs_.leads(epoch)) return;
  put_off(goes_on, started.error(), epoch);
}

Result<std::vector<detail::JobReport>> ClusterCoordinator::jobs() { return jobs_.reports(); }

Result<detail::JobReport> ClusterCoordinator::job(std::string_view id) {
  const Result<KnownJob> job = jobs_.find(id);
  if (!job) return job.error();
  detail::JobReport report = report_of(std::string(id), *job);
  if (job->plan) name_workers(report, *job->plan, system_->workers_of(std::string(id)));
  return report;
}

void ClusterCoordinator::on_view(const std::string& id, const detail::JobView& view) {
  (void)jobs_.with(id, [&](KnownJob& job) -> Status {
    job.view = view;
    job.has_run = job.has_run || view.state == JobState::kRunning;
    return {};
  });
}

void ClusterCoordinator::on_waits(const std::string& id, const std::string& reason) {
  (void)jobs_.with(id, [&](KnownJob& job) -> Status {
    job.waits = reason;
    return {};
  });
}

void ClusterCoordinator::on_ended(const std::string& id, const Status& status) {
  (void)jobs_.with(id, [&](KnownJob& job) -> Status {
    for (auto& [request, report] : job.savepoints) {
      if (report.completed) continue;
      report.completed = true;
      report.failure = "the job has ended before";
    }
    const bool finished = job.view.state == JobState::kFinished;
    if (job.rescale && job.rescale->stops && !finished) {
      calls_.execute([this, id, epoch = job.epoch] { begin_rescaled(id, epoch); });
      return {};
    }
    job.ended = end_of(job, status, clock_.now());
    if (job.rescale) std::exchange(job.rescale, nullptr)->finish(has_ended(job.ended->phase));
    calls_.execute(
        [this, id, ended = *job.ended, epoch = job.epoch] { keep_end(id, ended, epoch); });
    return {};
  });
}

// Of what the job leaves, its checkpoints go last: nobody begins it again by then.
void ClusterCoordinator::keep_end(const std::string& id, const JobEnd& end, LeaderEpoch epoch) {
  log_.info("job ended", {{"job", id}, {"state", end.phase}, {"reason", end.reason}});
  const Status kept = persist(epoch, [&] { return documents(epoch).keep_end(id, end); });
  if (!kept)
    return log_.error("cannot keep an end", {{"job", id}, {"error", kept.error().message()}});
  SubmittedJob submitted;
  const Status known = jobs_.with(id, [&](KnownJob& job) -> Status {
    job.end_kept = true;
    submitted = job.submitted;
    return {};
  });
  if (known) clear_checkpoints(submitted, end.phase);
}

Result<std::string> ClusterCoordinator::logs(std::string_view id, std::size_t lines) {
  if (const Result<KnownJob> known = jobs_.find(id); !known) return known.error();
  std::string text = system_->log(std::string(id), kLogBytes, kLogWait);
  std::size_t from = text.size();
  for (std::size_t left = lines + 1; left > 0 && from != std::string::npos && from > 0; --left) {
    from = text.rfind('\n', from - 1);
  }
  return from == std::string::npos || from == 0 ? text : text.substr(from + 1);
}

Result<std::vector<detail::WorkerReport>> ClusterCoordinator::workers() {
  const Result<LeaderEpoch> epoch = jobs_.leading();
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

// --- what is not needed any more ---

void ClusterCoordinator::tend() { tending_->tend(calls_); }

// Its last processes may have written something since it ended.
void ClusterCoordinator::forget(const std::string& id, LeaderEpoch epoch) {
  const std::lock_guard one_at_a_time(changes_);
  const Result<KnownJob> job = jobs_.find(id);
  if (!job || !jobs_.leads(epoch)) return;
  clear_checkpoints(job->submitted, job->ended->phase);
  const Status forgotten = persist(epoch, [&] { return documents(epoch).forget(id); });
  if (!forgotten) {
    return log_.error("cannot forget a job", {{"job", id}, {"error", forgotten.error().message()}});
  }
  log_.info("job forgotten", {{"job", id}});
  jobs_.erase(id, epoch);
}

void ClusterCoordinator::clear_checkpoints(const SubmittedJob& submitted, std::string_view phase) {
  const Status removed = remove_checkpoints(places(), submitted, phase);
  if (removed) return;
  log_.warn("cannot remove checkpoints",
            {{"job", submitted.submission.id}, {"error", removed.error().message()}});
}

}  // namespace millrace
