#include "millrace/actors/simulated_cluster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "integration/jobs.h"
#include "millrace/millrace.h"
#include "support/memory_stores.h"

namespace millrace {
namespace {

using test_support::run_on;

struct Count {
  std::int64_t key;
  std::int64_t count;
  friend bool operator==(const Count&, const Count&) = default;
  friend auto operator<=>(const Count&, const Count&) = default;
};

struct SimulatedRun {
  std::vector<Count> results;
  std::vector<std::uint64_t> trace;
};

// A keyed exchange behind a source that is idle most of the time.
SimulatedRun run_with(std::uint64_t seed) {
  SimulatedRun run;
  detail::SimulatedCluster cluster(seed);
  Status status =
      run_on(cluster,
             [&](Job& job) {
               job.from(generate<Count>({.count = 5'000, .rate_per_second = 1'000},
                                        [](std::uint64_t index) {
                                          return Count{static_cast<std::int64_t>(index % 13), 1};
                                        }))
                   .key_by(&Count::key)
                   .sum(&Count::count)
                   .to(collect(run.results));
             },
             {.parallelism = 3, .mode = Mode::kStreaming});
  EXPECT_TRUE(status) << status.error().message();
  run.trace = cluster.trace();
  return run;
}

TEST(SimulatedCluster, RunsTheSameStepsFromTheSameSeed) {
  const SimulatedRun first = run_with(7);
  const SimulatedRun second = run_with(7);
  EXPECT_EQ(first.trace, second.trace);
  EXPECT_EQ(first.results, second.results);
}

TEST(SimulatedCluster, TakesOtherStepsToTheSameResultsFromAnotherSeed) {
  SimulatedRun first = run_with(7);
  SimulatedRun other = run_with(8);
  EXPECT_NE(first.trace, other.trace);
  std::ranges::sort(first.results);
  std::ranges::sort(other.results);
  EXPECT_EQ(first.results, other.results);
  EXPECT_EQ(first.results.size(), 5'000U);
}

TEST(SimulatedCluster, LetsTimePassOnlyWhenNobodyHasAnythingToDo) {
  const SimulatedRun run = run_with(1);
  EXPECT_NE(std::ranges::find(run.trace, 0U), run.trace.end());
}

// A thread of its own would run beside the others, and take its steps unseen.
TEST(SimulatedCluster, RunsBlockingTasksInItsOwnOrderToo) {
  const auto run_blocking = [](std::vector<std::int64_t>& results) {
    detail::SimulatedCluster cluster(7);
    const Status status = run_on(cluster, [&](Job& job) {
      job.from(sequence(1, 5'000))
          .rebalance()
          .map([thread = std::this_thread::get_id()](const std::int64_t& number) {
            return std::this_thread::get_id() == thread ? number : 0;
          })
          .blocking()
          .to(collect(results));
    });
    EXPECT_TRUE(status) << status.error().message();
    return cluster.trace();
  };
  std::vector<std::int64_t> first;
  std::vector<std::int64_t> second;
  EXPECT_EQ(run_blocking(first), run_blocking(second));
  EXPECT_EQ(first, second);
  EXPECT_EQ(std::ranges::count(first, 0), 0);
}

// Passes numbers on, and counts its instances.
class CountOpened : public Process<std::int64_t, std::int64_t> {
 public:
  explicit CountOpened(int* opened) : opened_(opened) {}

  Status open(TaskContext&) override {
    ++*opened_;
    return {};
  }
  void process(const std::int64_t& number, Context&, Collector<std::int64_t>& out) override {
    out.emit(number);
  }

 private:
  int* opened_;
};

// How often a job of 20 milliseconds was started; each result comes once all the same.
int starts_with(detail::Disturbances disturbances) {
  using namespace std::chrono_literals;
  int opened = 0;
  std::vector<std::int64_t> results;
  test_support::MemoryCheckpoints checkpoints;
  test_support::MemoryMetadata metadata;
  const auto job = test_support::plan_job(
      [&](Job& described) {
        described
            .from(generate<std::int64_t>(
                {.count = 20, .rate_per_second = 1'000},
                [](std::uint64_t index) { return static_cast<std::int64_t>(index); }))
            .process<CountOpened>(&opened)
            .to(collect(results));
      },
      {.parallelism = 1});
  detail::SimulatedCluster cluster(1, disturbances);
  const Status status = cluster.run(job->plan, job->code,
                                    {.checkpoints = {.interval = 2ms},
                                     .restart = detail::FixedDelayRestart{.attempts = 1},
                                     .checkpoint_store = &checkpoints,
                                     .metadata_store = &metadata});
  EXPECT_TRUE(status) << status.error().message();
  EXPECT_EQ(results.size(), 20U);
  return opened;
}

TEST(SimulatedCluster, FailsOnceAtTheTimeThatWasChosen) {
  using namespace std::chrono_literals;
  EXPECT_EQ(starts_with({}), 1);
  EXPECT_EQ(starts_with({.dies_at = 5ms}), 2);
  EXPECT_EQ(starts_with({.task_fails_at = 5ms}), 2);
  EXPECT_EQ(starts_with({.task_fails_at = 5ms, .dies_at = 1'010ms}), 3)
      << "a second after the restart";
  EXPECT_EQ(starts_with({.task_fails_at = 1min, .dies_at = 1min}), 1) << "after its end";
}

}  // namespace
}  // namespace millrace
