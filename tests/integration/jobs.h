// Plans and runs a job function on a cluster of the test's choice.
#pragma once

#include "millrace/actors/simulated_cluster.h"
#include "millrace/launch/run.h"
#include "millrace/plan/cluster.h"
#include "millrace/plan/execution_plan.h"

namespace millrace::test_support {

struct JobSettings {
  std::uint32_t parallelism = 2;
  Mode mode = Mode::kAutomatic;
  bool chaining = true;
};

struct PlannedJob {
  detail::ExecutionPlan plan;
  detail::JobCode code;
};

inline Result<PlannedJob> plan_job(const JobFunction& function, const JobSettings& settings = {}) {
  detail::JobBuilder builder("test", Parameters());
  Job job(builder);
  builder.call(function, job);
  builder.plan().set_parallelism(settings.parallelism);
  builder.plan().set_mode(settings.mode);
  builder.plan().set_chaining(settings.chaining);
  Result<detail::BuiltJob> built = builder.build();
  if (!built) return built.error();
  Result<detail::ExecutionPlan> plan = detail::make_execution_plan(built->plan);
  if (!plan) return plan.error();
  return PlannedJob{*std::move(plan), std::move(built->code)};
}

// A task that fails when all is committed, and it only had to close, fails the job, but loses
// nothing.
inline Status run_to_the_end(detail::SimulatedCluster& cluster, const PlannedJob& job,
                             detail::ExecutionSettings settings) {
  Status status = cluster.run(job.plan, job.code, settings);
  if (status) return status;
  settings.restore = detail::RestoreFromLatest{};
  return cluster.run(job.plan, job.code, settings);
}

inline Status run_on(detail::Cluster& cluster, const JobFunction& function,
                     const JobSettings& settings = {},
                     const detail::ExecutionSettings& execution = {}) {
  Result<PlannedJob> job = plan_job(function, settings);
  if (!job) return job.error();
  auto running = cluster.start(std::move(job->plan), std::move(job->code), execution);
  return running ? (*running)->result() : Status(running.error());
}

}  // namespace millrace::test_support
