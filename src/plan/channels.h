// The channels of an execution plan: one for each pair of subtasks that an edge connects. They are
// a function of the plan, so every process numbers them alike and nobody sends them.
//
// Every subtask of a consumer has at least one channel per edge, because it is through its channels
// that barriers, watermarks and the end of input reach it. Hence a global exchange has channels to
// all subtasks too, although only the first one is sent records.
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/core/ids.h"
#include "millrace/core/result.h"
#include "millrace/plan/execution_plan.h"

namespace millrace::detail {

inline constexpr std::uint64_t kMaxChannels = 16u << 20;  // of one job

struct ChannelSpec {
  EdgeIndex edge;
  TaskId from;
  SubtaskIndex from_subtask;
  TaskId to;
  SubtaskIndex to_subtask;

  bool operator==(const ChannelSpec&) const = default;
};

// From `first` to just before `end`.
struct SubtaskRange {
  std::uint32_t first = 0;
  std::uint32_t end = 0;

  bool operator==(const SubtaskRange&) const = default;
};

// The consumers' subtasks to which one of the producer's has a channel; never empty. For rescale
// they are its own share, dealt as Flink does: as evenly as the two parallelisms permit.
SubtaskRange targets(Exchange exchange, SubtaskIndex from, std::uint32_t producers,
                     std::uint32_t consumers);

std::uint64_t channel_count(const ExecutionPlan& plan, const TaskEdge& edge);

// In the order of the plan's edges, then by producing and by consuming subtask.
std::vector<ChannelSpec> channels(const ExecutionPlan& plan);

// kInvalidArgument beyond kMaxChannels.
Status check_channels(const ExecutionPlan& plan);

}  // namespace millrace::detail
