// Plans and runs a job function on a cluster of the test's choice.
#pragma once

#include "millrace/launch/run.h"
#include "millrace/plan/cluster.h"
#include "millrace/plan/execution_plan.h"

namespace millrace::test_support {

struct JobSettings {
  std::uint32_t parallelism = 2;
  Mode mode = Mode::kAutomatic;
  bool chaining = true;
};

inline Status run_on(detail::Cluster& cluster, const JobFunction& function,
                     const JobSettings& settings = {}) {
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
  auto running = cluster.start(*std::move(plan), std::move(built->code));
  return running ? (*running)->result() : Status(running.error());
}

}  // namespace millrace::test_support
