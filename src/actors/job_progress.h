// What the subtasks of a job count, added up for whoever watches it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "millrace/actors/task_blueprint.h"
#include "millrace/plan/cluster.h"

namespace millrace::detail {

struct WatchedTask {
  bool source = false;
  bool sink = false;
  std::shared_ptr<const TaskMetrics> metrics;
};

std::vector<WatchedTask> watch(std::span<const TaskBlueprint> blueprints);

// The watermark is the least of the tasks that take one: sources have no input that would bring it.
JobProgress progress_of(std::span<const WatchedTask> tasks);

}  // namespace millrace::detail
