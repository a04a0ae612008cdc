// What the benchmarks share: timing a job beside a hand-written loop in turn, and printing medians.
// A ratio is taken pair by pair, since the machine's speed drifts.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "millrace/launch/run.h"

namespace millrace::bench {

constexpr int kRuns = 5;

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

inline double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Runs a job to its end; a benchmark whose job fails measures nothing.
inline void run_job(const JobFunction& job, int parallelism, const std::string& mode) {
  const Status status = execute("bench", job,
                                {.settings = {{"parallelism.default", std::to_string(parallelism)},
                                              {"execution.runtime-mode", mode}}});
  if (status) return;
  std::fprintf(stderr, "the job failed: %s\n", status.error().message().c_str());
  std::exit(1);
}

// Prints the median rate of both, in millions a second, and the median of the ratios.
inline void compare(const char* name, double records, const std::function<void()>& job,
                    const std::function<void()>& baseline) {
  std::vector<double> ours;
  std::vector<double> theirs;
  std::vector<double> ratios;
  job();  // once to warm up
  baseline();
  for (int i = 0; i < kRuns; ++i) {
    ours.push_back(records / seconds_of(job) / 1e6);
    theirs.push_back(records / seconds_of(baseline) / 1e6);
    ratios.push_back(ours.back() / theirs.back());
  }
  const auto [least, most] = std::ranges::minmax(ours);
  std::printf("%-44s %8.1f M/s (%.1f to %.1f)   loop %8.1f M/s   ratio %.2f\n", name, median(ours),
              least, most, median(theirs), median(ratios));
  std::fflush(stdout);
}

inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "wrong result: %s\n", what);
  std::exit(1);
}

}  // namespace millrace::bench
