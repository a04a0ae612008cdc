#include "millrace/coordination/placement.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace millrace::detail {
namespace {

// The first slot of each slot sharing group.
std::map<std::string_view, std::uint32_t> first_slots(const ExecutionPlan& plan) {
  std::map<std::string_view, std::uint32_t> slots_of_group;
  for (const TaskSpec& task : plan.tasks) {
    std::uint32_t& slots = slots_of_group[task.slot_sharing_group];
    slots = std::max(slots, task.parallelism);
  }
  std::map<std::string_view, std::uint32_t> first_of_group;
  std::uint32_t first = 0;
  for (const auto& [group, slots] : slots_of_group) {
    first_of_group[group] = first;
    first += slots;
  }
  return first_of_group;
}

}  // namespace

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

Placement place_in_slots(const ExecutionPlan& plan, std::span<const Subtask> subtasks,
                         std::span<const HostAddress> host_of_slot) {
  const auto first_of_group = first_slots(plan);
  Placement placement;
  for (const Subtask& subtask : subtasks) {
    const std::string& group = plan.at(subtask.task).slot_sharing_group;
    const HostAddress& host = host_of_slot[first_of_group.at(group) + subtask.index.value()];
    const auto known = std::ranges::find(placement.hosts, host);
    placement.host_of.push_back(static_cast<std::uint32_t>(known - placement.hosts.begin()));
    if (known == placement.hosts.end()) placement.hosts.push_back(host);
  }
  return placement;
}

std::vector<std::string> hosts_of_slots(const ExecutionPlan& plan,
                                        std::span<const std::string> host_of) {
  const auto first_of_group = first_slots(plan);
  std::vector<std::string> hosts(slots_required(plan));
  std::size_t next = 0;
  for (const Subtask& subtask : subtasks_of(plan)) {
    const std::uint32_t first = first_of_group.at(plan.at(subtask.task).slot_sharing_group);
    hosts[first + subtask.index.value()] = host_of[next++];
  }
  return hosts;
}

}  // namespace millrace::detail
