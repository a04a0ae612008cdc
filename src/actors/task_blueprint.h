// What it takes to make one subtask of an execution plan: the plan, the job's code, and its place.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "millrace/actors/task_runner.h"
#include "millrace/core/log.h"
#include "millrace/plan/channels.h"
#include "millrace/plan/execution_plan.h"
#include "millrace/plan/job_code.h"

namespace millrace::detail {

struct DeployedJob {
  ExecutionPlan plan;
  JobCode code;
  std::uint64_t seed = 0;
  Logger log = {};  // of operators
};

struct TaskBlueprint {
  std::shared_ptr<const DeployedJob> job;
  TaskId task{};
  SubtaskIndex subtask{};
  std::vector<ChannelSpec> inputs;  // the task numbers its input channels in this order
  std::shared_ptr<TaskMetrics> metrics;

  const TaskSpec& spec() const { return job->plan.at(task); }
};

// The blueprints of all subtasks, by SubtaskId.
std::vector<TaskBlueprint> make_blueprints(std::shared_ptr<const DeployedJob> job);

// What crosses an edge of the job's plan.
ChannelRecords records_of(const DeployedJob& job, const EdgeSpec& edge);

// The edges that lead out of a task, in the order in which it numbers its exchanges.
std::vector<TaskEdge> outgoing_edges(const ExecutionPlan& plan, TaskId task);

// The other end of a channel: a subtask, and how it numbers the channel.
struct PeerAddress {
  SubtaskId subtask{};
  std::uint32_t exchange = 0;  // of a sender; unused for a receiver
  std::uint32_t channel = 0;

  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

// Whom a subtask sends to and hears from.
struct TaskWiring {
  std::vector<std::vector<PeerAddress>> receivers;  // by exchange and channel
  std::vector<PeerAddress> senders;                 // by input channel
};

// Of each blueprint of a job, in their order.
std::vector<TaskWiring> wire_up(std::span<const TaskBlueprint> blueprints);

// Makes the operators, restores and opens them. What user code throws in a constructor is an error
// too.
Result<std::unique_ptr<TaskRunner>> make_task_runner(const TaskBlueprint& blueprint, TaskPort& port,
                                                     const Clock& clock, TaskStart start = {});

}  // namespace millrace::detail
