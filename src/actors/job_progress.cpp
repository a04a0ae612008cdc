#include "millrace/actors/job_progress.h"

#include <algorithm>

namespace millrace::detail {

std::vector<WatchedTask> watch(std::span<const TaskBlueprint> blueprints) {
  std::vector<WatchedTask> watched;
  for (const TaskBlueprint& blueprint : blueprints) {
    const LogicalPlan& plan = blueprint.job->plan.logical;
    const auto any = [&](auto property) {
      return std::ranges::any_of(blueprint.spec().operators,
                                 [&](OperatorIndex index) { return plan.at(index).*property; });
    };
    watched.push_back({any(&OperatorSpec::source), any(&OperatorSpec::sink), blueprint.metrics});
  }
  return watched;
}

namespace {

void add(JobProgress& progress, const StateMetrics& state) {
  progress.state_rows += static_cast<std::uint64_t>(state.rows.value());
  progress.state_bytes += static_cast<std::uint64_t>(state.bytes.value());
  progress.state_lookups += state.lookups.value();
  progress.state_reads += state.database_reads.value();
}

}  // namespace

JobProgress progress_of(std::span<const WatchedTask> tasks) {
  JobProgress progress;
  std::int64_t watermark = kMaxTimestamp.time_since_epoch().count();
  bool taken = false;
  for (const WatchedTask& task : tasks) {
    for (const StateMetrics& state : task.metrics->states) add(progress, state);
    if (task.source) {
      progress.records_in += task.metrics->records_out.value();
      continue;
    }
    if (task.sink) progress.records_out += task.metrics->records_in.value();
    watermark = std::min(watermark, task.metrics->watermark_milliseconds.value());
    taken = true;
  }
  if (taken) progress.watermark = Timestamp(Duration(watermark));
  return progress;
}

}  // namespace millrace::detail
