#include "millrace/launch/known_job.h"

#include <algorithm>

#include "millrace/coordination/placement.h"

namespace millrace {
namespace {

using detail::JobPhase;
using detail::JobState;

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

bool has_ended(JobPhase phase) {
  return std::ranges::any_of(kEnds, [&](const auto& entry) { return entry.first == phase; });
}

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

}  // namespace

Rescale::~Rescale() { finish(unavailable("the leader has changed meanwhile; ask again")); }

void Rescale::finish(const Status& status) {
  if (!finished_.exchange(true)) promise_.set_value(status);
}

detail::JobEnd end_of(const KnownJob& job, const Status& status, Timestamp at) {
  const JobPhase phase = status                                           ? phase_of(job.view.state)
                         : status.error().code() == ErrorCode::kCancelled ? JobPhase::kCancelled
                                                                          : JobPhase::kFailed;
  return {.phase = std::string(word_of(phase)),
          .reason = status ? "" : status.error().message(),
          .at = at};
}

std::uint32_t parallelism_of(const KnownJob& job) {
  const std::uint32_t given = job.submitted.parallelism;
  return given == 0 && job.plan ? job.plan->logical.parallelism : given;
}

std::uint32_t wanted_parallelism_of(const KnownJob& job) {
  return std::max(job.submitted.wanted, parallelism_of(job));
}

detail::JobReport report_of(const std::string& id, const KnownJob& job) {
  detail::JobReport report{.id = id,
                           .name = job.name,
                           .phase = phase_of(job.view.state),
                           .reason = job.view.trouble,
                           .started = job.submitted.at,
                           .ended = std::nullopt,
                           .attempt = job.view.attempt,
                           .parallelism = parallelism_of(job),
                           .wanted_parallelism = wanted_parallelism_of(job),
                           .completed_checkpoints = job.view.completed_checkpoints,
                           .tasks = {},
                           .checkpoints = job.view.checkpoints};
  for (detail::CheckpointReport& checkpoint : report.checkpoints) {
    checkpoint.path = (job.checkpoints / checkpoint.path).native();
  }
  const bool begins = report.phase == JobPhase::kStarting || report.phase == JobPhase::kRestarting;
  if (begins && !job.waits.empty()) {
    report.phase = JobPhase::kWaiting;
    report.reason = job.waits;
  }
  const bool stops = job.rescale && job.rescale->stops;
  if (stops || has_ended(report.phase)) {
    report.phase = stops ? JobPhase::kRestarting : JobPhase::kEnding;  // until that is kept
  }
  if (job.ended) {
    report.phase = phase_named(job.ended->phase);
    report.reason = job.ended->reason;
    report.ended = job.ended->at;
  }
  if (!job.plan) return report;
  for (std::size_t i = 0; i < job.plan->tasks.size(); ++i) {
    const detail::TaskSpec& task = job.plan->tasks[i];
    const bool counted = i < job.view.tasks.size();
    const detail::TaskCounts counts = counted ? job.view.tasks[i] : detail::TaskCounts();
    report.tasks.push_back({.id = std::to_string(i),
                            .name = task.name,
                            .parallelism = task.parallelism,
                            .hosts = {},
                            .records_in = counts.records_in,
                            .records_out = counts.records_out});
  }
  return report;
}

void name_workers(detail::JobReport& report, const detail::ExecutionPlan& plan,
                  const std::vector<std::string>& worker_of_slot) {
  if (worker_of_slot.size() < detail::slots_required(plan)) return;  // it has none
  const std::vector<std::uint32_t> first = detail::first_slot_of(plan);
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    const auto begin = worker_of_slot.begin() + first[i];
    report.tasks[i].hosts.assign(begin, begin + report.tasks[i].parallelism);
  }
}

}  // namespace millrace
