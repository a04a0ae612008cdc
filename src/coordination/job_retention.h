// What stays of jobs that have ended, and for how long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/mode.h"
#include "millrace/core/time.h"

namespace millrace::detail {

struct JobStoreLimits {
  Duration expiration{0};
  std::size_t capacity = 0;
};

struct EndedJob {
  std::string id;
  Timestamp at;
};

// Those that ended longer ago, and the oldest of more than there is room for.
std::vector<std::string> jobs_to_forget(std::vector<EndedJob> ended, const JobStoreLimits& limits,
                                        Timestamp now);

// Whether the checkpoints of a job that has ended so ("finished", "failed") stay.
bool keeps_checkpoints(CheckpointRetention retention, std::string_view phase);

}  // namespace millrace::detail
