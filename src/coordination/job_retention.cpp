#include "millrace/coordination/job_retention.h"

#include <algorithm>

namespace millrace::detail {

std::vector<std::string> jobs_to_forget(std::vector<EndedJob> ended, const JobStoreLimits& limits,
                                        Timestamp now) {
  std::ranges::sort(ended, {}, &EndedJob::at);
  const std::size_t too_many = ended.size() - std::min(ended.size(), limits.capacity);
  std::vector<std::string> forgotten;
  for (std::size_t i = 0; i < ended.size(); ++i) {
    if (i >= too_many && now - ended[i].at < limits.expiration) break;
    forgotten.push_back(std::move(ended[i].id));
  }
  return forgotten;
}

bool keeps_checkpoints(CheckpointRetention retention, std::string_view phase) {
  if (retention == CheckpointRetention::kNone) return false;
  if (phase == "failed") return true;
  return phase == "cancelled" && retention == CheckpointRetention::kOnCancellation;
}

}  // namespace millrace::detail
