#include "millrace/actors/simulated_cluster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "integration/jobs.h"
#include "millrace/millrace.h"

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

}  // namespace
}  // namespace millrace
