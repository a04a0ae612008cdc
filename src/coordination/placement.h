// Where the tasks of a job run. Data that is decided for a region at each of its attempts, and told
// to its hosts, so that the hosts of tasks with channels between them find each other.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "millrace/core/result.h"
#include "millrace/plan/execution_plan.h"
#include "millrace/plan/subtasks.h"

namespace millrace::detail {

// A process that hosts tasks, and where the job's other hosts reach its links.
struct HostAddress {
  std::string identity;    // one of its cluster
  std::string host;        // a name or an address; empty: it is the coordinator's own process,
  std::uint16_t port = 0;  // which has all tasks, and no links

  bool is_local() const { return host.empty(); }
  friend bool operator==(const HostAddress&, const HostAddress&) = default;
};

struct Placement {
  std::vector<HostAddress> hosts;
  std::vector<std::uint32_t> host_of;  // each subtask that was to be placed: its position in hosts

  friend bool operator==(const Placement&, const Placement&) = default;
};

// Places the subtasks of a region on some of the hosts that there are.
using PlaceTasks = std::function<Result<Placement>(std::span<const Subtask> subtasks,
                                                   std::span<const HostAddress> hosts)>;

// Deals each task's subtasks to all hosts in turn, so that those of the same index are together and
// what goes forward stays inside a process. Fails where there is no host.
Result<Placement> spread(std::span<const Subtask> subtasks, std::span<const HostAddress> hosts);

// Puts each subtask where its slot is, of the slots_required(plan): a slot sharing group has its
// slots side by side, by the index of the subtask.
Placement place_in_slots(const ExecutionPlan& plan, std::span<const Subtask> subtasks,
                         std::span<const HostAddress> host_of_slot);

// Which of those slots each task's first subtask has, by TaskId; the others follow.
std::vector<std::uint32_t> first_slot_of(const ExecutionPlan& plan);

// The other way round: the host of each slot, where it is known of each subtask of the job.
std::vector<std::string> hosts_of_slots(const ExecutionPlan& plan,
                                        std::span<const std::string> host_of);

}  // namespace millrace::detail
