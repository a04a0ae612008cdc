#include "millrace/actors/simulated_cluster.h"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <optional>

#include "millrace/actors/coordinator_actor.h"
#include "millrace/core/random.h"

namespace millrace::detail {
namespace {

class SimulatedConfig : public caf::actor_system_config {
 public:
  SimulatedConfig() {
    set("scheduler.policy", caf::atom("testing"));
    set("scheduler.max-throughput", std::size_t{1});  // a choice after each message
  }
};

// The actor system's virtual time.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(caf::actor_system& actors) : actors_(actors) {}

  Timestamp now() const override { return Timestamp(floor<Duration>(monotonic())); }
  std::chrono::nanoseconds monotonic() const override {
    return actors_.clock().now().time_since_epoch();
  }

 private:
  caf::actor_system& actors_;
};

}  // namespace

struct SimulatedCluster::System {
  explicit System(std::uint64_t seed_of_run)
      : seed(seed_of_run), random(seed_of_run), actors(config), clock(actors) {}

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(actors.scheduler());
  }

  // Lets one actor run, or time pass; false if neither is possible.
  bool step() {
    auto& jobs = scheduler().jobs;
    if (jobs.empty()) {
      if (!scheduler().trigger_timeout()) return false;
      trace.push_back(0);
      return true;
    }
    const auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>(random.below(jobs.size()));
    std::rotate(jobs.begin(), chosen, chosen + 1);
    const auto* actor = dynamic_cast<caf::abstract_actor*>(jobs.front());
    trace.push_back(actor ? actor->id() - first_actor + 1 : 0);
    scheduler().run_once();
    return true;
  }

  std::uint64_t seed;
  Random random;
  SimulatedConfig config;
  caf::actor_system actors;
  SimulatedClock clock;
  InlineExecutor executor;
  caf::actor_id first_actor = 0;
  std::vector<std::uint64_t> trace;
};

namespace {

class SimulatedJob final : public RunningJob {
 public:
  SimulatedJob(std::function<bool()> step, caf::actor coordinator,
               std::shared_ptr<std::optional<Status>> outcome)
      : step_(std::move(step)),
        coordinator_(std::move(coordinator)),
        outcome_(std::move(outcome)) {}

  // As many steps as milliseconds.
  bool wait_for(std::chrono::milliseconds time) override {
    for (std::int64_t i = 0; i < time.count() && !outcome_->has_value(); ++i) step_();
    return outcome_->has_value();
  }
  Status result() override {
    while (!outcome_->has_value()) {
      if (!step_()) return internal("the job is stuck: nobody has anything to do");
    }
    return **outcome_;
  }
  void cancel() override { caf::anon_send(coordinator_, CancelJob{}); }
  JobProgress progress() const override { return {}; }

 private:
  std::function<bool()> step_;
  caf::actor coordinator_;
  std::shared_ptr<std::optional<Status>> outcome_;
};

}  // namespace

SimulatedCluster::SimulatedCluster(std::uint64_t seed) : system_(std::make_unique<System>(seed)) {}

SimulatedCluster::~SimulatedCluster() {
  while (!system_->scheduler().jobs.empty()) system_->step();
}

const std::vector<std::uint64_t>& SimulatedCluster::trace() const { return system_->trace; }

Result<std::unique_ptr<RunningJob>> SimulatedCluster::start(ExecutionPlan plan, JobCode code) {
  auto job = std::make_shared<const DeployedJob>(
      DeployedJob{std::move(plan), std::move(code), system_->seed});
  auto outcome = std::make_shared<std::optional<Status>>();
  CoordinatorSettings settings{
      .clock = &system_->clock,
      .executor = &system_->executor,
      .log = {},
      .blocking_tasks_have_threads = false,
      .report = [outcome](Status status) { *outcome = std::move(status); }};
  caf::actor coordinator =
      system_->actors.spawn<CoordinatorActor>(make_blueprints(std::move(job)), std::move(settings));
  system_->first_actor = coordinator->id();
  caf::anon_send(coordinator, Deploy{});
  return std::unique_ptr<RunningJob>(std::make_unique<SimulatedJob>(
      [system = system_.get()] { return system->step(); }, std::move(coordinator), outcome));
}

}  // namespace millrace::detail
