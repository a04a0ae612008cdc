#include "millrace/actors/simulated_cluster.h"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <map>
#include <optional>

#include "millrace/actors/job_actor.h"
#include "millrace/actors/task_actor.h"
#include "millrace/actors/task_host.h"
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
  System(std::uint64_t seed_of_run, Disturbances asked)
      : seed(seed_of_run), random(seed_of_run), left(asked), actors(config), clock(actors) {}

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(actors.scheduler());
  }

  // Lets one actor run, or time pass; false if neither is possible, or the process has died.
  bool step() {
    auto& jobs = scheduler().jobs;
    if (happens(left.deaths) || comes(left.dies_at)) {
      die();
      return false;
    }
    const bool early = left.time_passes > 0 && random.chance(left.time_passes) && due_soon();
    if (jobs.empty() || early) {
      const bool passed = scheduler().trigger_timeout();
      if (passed) trace.push_back(0);
      if (passed || jobs.empty()) return passed;
    }
    const auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>(random.below(jobs.size()));
    std::rotate(jobs.begin(), chosen, chosen + 1);
    run(dynamic_cast<caf::abstract_actor*>(jobs.front()));
    return true;
  }

  // No more than that passes while somebody is at work: it would be an unlikely machine.
  bool due_soon() {
    const auto& clock = scheduler().clock();
    return clock.has_pending_timeout() &&
           clock.schedule().begin()->first <= clock.now() + std::chrono::milliseconds(100);
  }

  void run(caf::abstract_actor* actor) {
    trace.push_back(actor ? actor->id() - first_actor + 1 : 0);
    if (actor) seen.insert_or_assign(actor->id(), caf::weak_actor_ptr(actor->ctrl()));
    if (auto* task = dynamic_cast<TaskActor*>(actor);
        task && (happens(left.task_failures) || comes(left.task_fails_at))) {
      caf::anon_send<caf::message_priority::high>(caf::actor_cast<caf::actor>(task), Crash{});
    }
    scheduler().run_once();
  }

  bool happens(std::size_t& left_of_it) {
    if (left_of_it == 0 || !random.chance(left.chance)) return false;
    --left_of_it;
    return true;
  }

  bool comes(std::optional<std::chrono::nanoseconds>& at) {
    if (!at || clock.monotonic() - began < *at) return false;
    at.reset();
    return true;
  }

  // All actors are gone before any of them takes another step of its own.
  void die() {
    died = true;
    for (caf::resumable* job : scheduler().jobs) {
      if (auto* actor = dynamic_cast<caf::abstract_actor*>(job)) {
        seen.insert_or_assign(actor->id(), caf::weak_actor_ptr(actor->ctrl()));
      }
    }
    for (const auto& [id, weak] : std::exchange(seen, {})) {
      const auto actor = caf::actor_cast<caf::actor>(weak.lock());
      if (!actor) continue;
      caf::anon_send<caf::message_priority::high>(
          actor, caf::exit_msg{actor->address(), caf::exit_reason::kill});
    }
    scheduler().run();
  }

  std::uint64_t seed;
  Random random;
  Disturbances left;
  SimulatedConfig config;
  caf::actor_system actors;
  SimulatedClock clock;
  std::chrono::nanoseconds began = clock.monotonic();
  InlineExecutor executor;
  caf::actor_id first_actor = 0;
  std::vector<std::uint64_t> trace;
  std::map<caf::actor_id, caf::weak_actor_ptr> seen;  // actors, once they had a turn
  bool died = false;
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
      if (!step_()) return internal("the job is stuck or dead: nobody has anything to do");
    }
    return **outcome_;
  }
  void savepoint(SavepointOrder order, SavepointTaken done) override {
    caf::anon_send(coordinator_, RequestSavepoint{std::move(order), std::move(done)});
  }
  void cancel() override { caf::anon_send(coordinator_, CancelJob{}); }
  JobProgress progress() const override { return {}; }

 private:
  std::function<bool()> step_;
  caf::actor coordinator_;
  std::shared_ptr<std::optional<Status>> outcome_;
};

}  // namespace

SimulatedCluster::SimulatedCluster(std::uint64_t seed, Disturbances disturbances)
    : system_(std::make_unique<System>(seed, disturbances)) {}

SimulatedCluster::~SimulatedCluster() { system_->die(); }

const std::vector<std::uint64_t>& SimulatedCluster::trace() const { return system_->trace; }

Result<std::unique_ptr<RunningJob>> SimulatedCluster::start(ExecutionPlan plan, JobCode code,
                                                            ExecutionSettings execution) {
  if (Status well = check_stores(execution); !well) return well.error();
  auto job = std::make_shared<const DeployedJob>(
      DeployedJob{std::move(plan), std::move(code), system_->seed});
  auto outcome = std::make_shared<std::optional<Status>>();
  TaskHostSettings host_settings{.clock = &system_->clock,
                                 .executor = &system_->executor,
                                 .log = {},
                                 .execution = execution,
                                 .blocking_tasks_have_threads = false};
  JobActorSettings settings{.clock = &system_->clock,
                            .executor = &system_->executor,
                            .log = {},
                            .execution = std::move(execution),
                            .seed = job->seed,
                            .report = [outcome](Status status) { *outcome = std::move(status); }};
  caf::actor coordinator = system_->actors.spawn<JobActor>(
      std::shared_ptr<const ExecutionPlan>(job, &job->plan), std::move(settings));
  system_->first_actor = coordinator->id();
  caf::anon_send(system_->actors.spawn<TaskHost>(make_blueprints(job), std::move(host_settings)),
                 Serve{coordinator});
  return std::unique_ptr<RunningJob>(std::make_unique<SimulatedJob>(
      [system = system_.get()] { return system->step(); }, std::move(coordinator), outcome));
}

Status SimulatedCluster::run(const ExecutionPlan& plan, const JobCode& code,
                             ExecutionSettings settings) {
  for (;;) {
    system_->died = false;
    Result<std::unique_ptr<RunningJob>> running = start(plan, code, settings);
    if (!running) return running.error();
    Status result = (*running)->result();
    if (!system_->died) return result;
    settings.restore = RestoreFromLatest{};
  }
}

}  // namespace millrace::detail
