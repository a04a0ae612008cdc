#include "millrace/actors/job_progress.h"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

struct Counts {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  Timestamp watermark = kMinTimestamp;
};

WatchedTask task(bool source, bool sink, Counts counts) {
  auto metrics = std::make_shared<TaskMetrics>();
  metrics->records_in.increment(counts.in);
  metrics->records_out.increment(counts.out);
  metrics->watermark_milliseconds.set(counts.watermark.time_since_epoch().count());
  return {source, sink, std::move(metrics)};
}

Timestamp at(std::int64_t milliseconds) { return Timestamp(Duration(milliseconds)); }

TEST(JobProgress, CountsWhatSourcesEmitAndSinksTake) {
  const WatchedTask tasks[] = {task(true, false, {.out = 5}), task(true, false, {.out = 2}),
                               task(false, false, {.in = 7, .out = 4}),
                               task(false, true, {.in = 4})};
  EXPECT_EQ(progress_of(tasks).records_in, 7U);
  EXPECT_EQ(progress_of(tasks).records_out, 4U);
}

TEST(JobProgress, HasTheLeastWatermarkOfTheTasksThatAreNoSources) {
  const WatchedTask tasks[] = {task(true, false, {}), task(false, false, {.watermark = at(70)}),
                               task(false, true, {.watermark = at(30)})};
  EXPECT_EQ(progress_of(tasks).watermark, at(30));
}

TEST(JobProgress, KnowsNoWatermarkOfAJobThatIsAllSources) {
  const WatchedTask tasks[] = {task(true, true, {.out = 1})};
  EXPECT_EQ(progress_of(tasks).watermark, kMinTimestamp);
}

TEST(JobProgress, AddsUpTheStateOfAllOperators) {
  WatchedTask tasks[] = {task(true, false, {}), task(false, true, {})};
  const auto metrics = std::make_shared<TaskMetrics>(3);
  tasks[1].metrics = metrics;
  for (const std::size_t i : {0, 2}) {
    metrics->states[i].rows.set(10);
    metrics->states[i].bytes.set(1'000);
    metrics->states[i].lookups.increment(7);
    metrics->states[i].database_reads.increment(2);
  }
  const JobProgress progress = progress_of(tasks);
  EXPECT_EQ(progress.state_rows, 20U);
  EXPECT_EQ(progress.state_bytes, 2'000U);
  EXPECT_EQ(progress.state_lookups, 14U);
  EXPECT_EQ(progress.state_reads, 4U);
}

}  // namespace
}  // namespace millrace::detail
