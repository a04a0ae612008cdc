// What a task counts; written by the task alone, read by any thread.
#pragma once

#include "millrace/core/metrics.h"
#include "millrace/core/time.h"

namespace millrace::detail {

struct alignas(64) TaskMetrics {
  TaskMetrics() { watermark_milliseconds.set(kMinTimestamp.time_since_epoch().count()); }

  Counter records_in;   // from channels
  Counter records_out;  // of the chain's head; for a source what it emitted
  Counter busy_nanoseconds;
  Counter idle_nanoseconds;           // waiting for input
  Counter backpressured_nanoseconds;  // waiting for credit, or for the writer of keyed state
  Gauge watermark_milliseconds;
};

}  // namespace millrace::detail
