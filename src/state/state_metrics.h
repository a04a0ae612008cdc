// What the keyed state of one operator instance counts; written by its task alone, some times a
// second at most, read by any thread.
#pragma once

#include "millrace/core/metrics.h"

namespace millrace::detail {

struct StateMetrics {
  Gauge rows;              // in memory: keys, over all states of the operator
  Gauge bytes;             // that they take
  Counter lookups;         // of keys, in each state
  Counter database_reads;  // lookups that asked the database: the others were found in memory, or
                           // known to be nowhere
  Counter evicted_rows;    // that left the memory for the database
  Gauge unwritten_bytes;   // that wait for the writer
  Gauge checkpoint_bytes;  // of all files of the last checkpoint
  Counter uploaded_bytes;  // of files that checkpoints before did not have
  Gauge checkpoint_milliseconds;  // from the last one's barrier until it was written
};

}  // namespace millrace::detail
