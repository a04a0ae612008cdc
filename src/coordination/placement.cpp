#include "millrace/coordination/placement.h"

namespace millrace::detail {

Result<Placement> spread(std::span<const Subtask> subtasks, std::span<const HostAddress> hosts) {
  if (hosts.empty()) {
    return unavailable(
        "the job has no host for its tasks: all have been lost, or none has come yet; look into "
        "the logs of its processes");
  }
  Placement placement{.hosts = {hosts.begin(), hosts.end()}, .host_of = {}};
  for (const Subtask& subtask : subtasks) {
    placement.host_of.push_back(subtask.index.value() % static_cast<std::uint32_t>(hosts.size()));
  }
  return placement;
}

}  // namespace millrace::detail
