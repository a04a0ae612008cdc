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

JobProgress progress_of(std::span<const WatchedTask> tasks) {
  JobProgress progress;
  std::int64_t watermark = kMaxTimestamp.time_since_epoch().count();
  bool taken = false;
  for (const WatchedTask& task : tasks) {
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
