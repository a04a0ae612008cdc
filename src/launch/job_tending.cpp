#include "millrace/launch/job_tending.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <vector>

#include "millrace/coordination/job_retention.h"
#include "millrace/core/config/options.h"

namespace millrace {
namespace {

constexpr Duration kPauseOfAdapting{500};
constexpr Duration kPauseOfTrials{5'000};
constexpr Duration kShortestPauseOfTidying{100};
constexpr Duration kLongestPauseOfTidying{10'000};

detail::AdaptiveParallelism::SlotsFor slots_for(const detail::ExecutionPlan& plan) {
  return [&plan](std::uint32_t parallelism) {
    detail::LogicalPlan other = plan.logical;
    other.parallelism = parallelism;
    const auto planned = detail::make_execution_plan(other);
    return planned ? detail::slots_required(*planned) : std::numeric_limits<std::uint32_t>::max();
  };
}

}  // namespace

bool JobTending::Turn::begin(std::chrono::nanoseconds now, Duration pause) {
  if (now - begun_ < pause || under_way_.exchange(true)) return false;
  begun_ = now;
  return true;
}

void JobTending::tend(Executor& executor) {
  const std::chrono::nanoseconds now = parts_.clock.monotonic();
  if (tidying_.begin(now, pause_of_tidying())) {
    executor.execute([this] {
      tidy();
      tidying_.end();
    });
  }
  if (trying_again_.begin(now, kPauseOfTrials)) {
    executor.execute([this] {
      try_again();
      trying_again_.end();
    });
  }
  if (adapting_.begin(now, kPauseOfAdapting)) {
    executor.execute([this] {
      adapt();
      adapting_.end();
    });
  }
}

// --- what has expired ---

Duration JobTending::pause_of_tidying() const {
  const Duration soonest =
      std::min(parts_.config.get(kJobExpiration), parts_.config.get(kStoreRetention));
  return std::clamp(soonest / 4, kShortestPauseOfTidying, kLongestPauseOfTidying);
}

// Only who knows all jobs knows what none of them needs.
void JobTending::tidy() {
  const Result<LeaderEpoch> epoch = parts_.jobs.leading();
  if (!epoch || !parts_.jobs.knows_all()) return;
  std::vector<detail::EndedJob> ended;
  std::optional<std::set<std::string>> needed(std::in_place);  // nothing: that is unknown
  parts_.jobs.each([&](const std::string& id, const KnownJob& job) {
    const std::string& artifact = job.submitted.submission.artifact;
    if (job.end_kept) {
      ended.push_back({id, job.ended->at});
    } else if (artifact.empty()) {
      needed.reset();
    } else if (needed) {
      needed->insert(artifact);
    }
  });
  const detail::JobStoreLimits limits{
      .expiration = parts_.config.get(kJobExpiration),
      .capacity = static_cast<std::size_t>(parts_.config.get(kJobCapacity))};
  for (const std::string& id : jobs_to_forget(std::move(ended), limits, parts_.clock.now())) {
    parts_.forget(id, *epoch);
  }
  if (needed && parts_.jobs.leads(*epoch)) {
    const Duration retention = parts_.config.get(kStoreRetention);
    parts_.artifacts.remove_unused(*needed, parts_.clock.now() - retention);
  }
}

// --- what was put off ---

void JobTending::try_again() {
  const Result<LeaderEpoch> epoch = parts_.jobs.leading();
  if (!epoch || !parts_.jobs.knows_all()) return;
  std::vector<std::string> put_off;
  parts_.jobs.each([&](const std::string& id, const KnownJob& job) {
    if (job.put_off && !job.ended) put_off.push_back(id);
  });
  for (const std::string& id : put_off) parts_.try_again(id, *epoch);
}

// --- adaptive jobs ---

// Of what is free a job that waits may have all; one that runs may have some more if nobody waits.
void JobTending::adapt() {
  bool anybody_waits = false;
  std::uint32_t promised = 0;  // to jobs that are being rescaled
  std::vector<std::string> adaptive;
  parts_.jobs.each([&](const std::string& id, const KnownJob& job) {
    if (job.ended || job.put_off || !job.plan) return;
    anybody_waits = anybody_waits || !job.waits.empty();
    if (job.adaptive && !job.rescale) adaptive.push_back(id);
    if (job.rescale) {
      const auto slots = slots_for(*job.plan);
      const std::uint32_t now = slots(parallelism_of(job));
      promised += std::max(slots(job.rescale->parallelism), now) - now;
    }
  });
  if (adaptive.empty()) return;
  std::uint32_t free = 0;
  for (const auto& [worker, room] : parts_.system.workers()) free += room.free;
  free -= std::min(free, promised);
  for (const std::string& id : adaptive) free -= adapt_one(id, free, anybody_waits);
}

// Returns how many of the free slots it is about to take.
std::uint32_t JobTending::adapt_one(const std::string& id, std::uint32_t free, bool anybody_waits) {
  const std::vector<std::string> slots = parts_.system.workers_of(id);
  const auto own = static_cast<std::uint32_t>(
      std::ranges::count_if(slots, [](const std::string& worker) { return !worker.empty(); }));
  std::optional<std::uint32_t> parallelism;
  std::uint32_t wanted = 0;
  std::uint32_t takes = 0;
  (void)parts_.jobs.with(id, [&](KnownJob& job) -> Status {
    const bool waits = !job.waits.empty();
    if (!waits && job.view.state != detail::JobState::kRunning) return {};
    wanted = wanted_parallelism_of(job);
    parallelism = job.adaptive->decide({.waits = waits,
                                        .now = parallelism_of(job),
                                        .wanted = wanted,
                                        .slots = own + (waits || !anybody_waits ? free : 0)},
                                       slots_for(*job.plan), parts_.clock.monotonic());
    if (parallelism) takes = slots_for(*job.plan)(*parallelism);
    return {};
  });
  if (!parallelism) return 0;
  parts_.log.info("adapting", {{"job", id}, {"parallelism", *parallelism}, {"wanted", wanted}});
  const Status asked = parts_.rescale(id, *parallelism);
  if (asked) return std::min(free, takes > own ? takes - own : 0);
  parts_.log.warn("cannot adapt", {{"job", id}, {"why", asked.error().message()}});
  return 0;
}

}  // namespace millrace
