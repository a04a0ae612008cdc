// What a task counts; written by the task alone, read by any thread.
#pragma once

#include <vector>

#include "millrace/core/metrics.h"
#include "millrace/core/time.h"
#include "millrace/state/state_metrics.h"

namespace millrace::detail {

struct alignas(64) TaskMetrics {
  explicit TaskMetrics(std::size_t operators = 0) : states(operators) {
    watermark_milliseconds.set(kMinTimestamp.time_since_epoch().count());
  }

  Counter records_in;   // from channels
  Counter records_out;  // of the chain's head; for a source what it emitted
  Counter busy_nanoseconds;
  Counter idle_nanoseconds;           // waiting for input
  Counter backpressured_nanoseconds;  // waiting for credit, or for the writer of keyed state
  Gauge watermark_milliseconds;
  std::vector<StateMetrics> states;  // by operator of the chain; all 0 where it has no keyed state
};

}  // namespace millrace::detail
