#include "millrace/coordination/placement.h"

#include <algorithm>
#include <map>
#include <string_view>

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

// Each slot sharing group has as many slots as its largest task has subtasks.
std::vector<std::uint32_t> first_slot_of(const ExecutionPlan& plan) {
  std::map<std::string_view, std::uint32_t> slots_of_group;
  for (const TaskSpec& task : plan.tasks) {
    std::uint32_t& slots = slots_of_group[task.slot_sharing_group];
    slots = std::max(slots, task.parallelism);
  }
  std::map<std::string_view, std::uint32_t> first_of_group;
  std::uint32_t next = 0;
  for (const auto& [group, slots] : slots_of_group) {
    first_of_group[group] = next;
    next += slots;
  }
  std::vector<std::uint32_t> first;
  for (const TaskSpec& task : plan.tasks) {
    first.push_back(first_of_group.at(task.slot_sharing_group));
  }
  return first;
}

Placement place_in_slots(const ExecutionPlan& plan, std::span<const Subtask> subtasks,
                         std::span<const HostAddress> host_of_slot) {
  const std::vector<std::uint32_t> first = first_slot_of(plan);
  Placement placement;
  for (const Subtask& subtask : subtasks) {
    const HostAddress& host = host_of_slot[first[subtask.task.value()] + subtask.index.value()];
    const auto known = std::ranges::find(placement.hosts, host);
    placement.host_of.push_back(static_cast<std::uint32_t>(known - placement.hosts.begin()));
    if (known == placement.hosts.end()) placement.hosts.push_back(host);
  }
  return placement;
}

std::vector<std::string> hosts_of_slots(const ExecutionPlan& plan,
                                        std::span<const std::string> host_of) {
  const std::vector<std::uint32_t> first = first_slot_of(plan);
  std::vector<std::string> hosts(slots_required(plan));
  std::size_t next = 0;
  for (const Subtask& subtask : subtasks_of(plan)) {
    hosts[first[subtask.task.value()] + subtask.index.value()] = host_of[next++];
  }
  return hosts;
}

}  // namespace millrace::detail
