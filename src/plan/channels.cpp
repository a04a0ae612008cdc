#include "millrace/plan/channels.h"

#include <algorithm>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

SubtaskRange rescale_targets(std::uint64_t from, std::uint64_t producers, std::uint64_t consumers) {
  const auto share_begin = [&](std::uint64_t producer) {
    return static_cast<std::uint32_t>((producer * consumers + producers - 1) / producers);
  };
  const std::uint32_t end = share_begin(from + 1);
  return {producers > consumers ? end - 1 : share_begin(from), end};
}

}  // namespace

SubtaskRange targets(Exchange exchange, SubtaskIndex from, std::uint32_t producers,
                     std::uint32_t consumers) {
  switch (exchange) {
    case Exchange::kForward:
      return {from.value(), from.value() + 1};
    case Exchange::kRescale:
      return rescale_targets(from.value(), producers, consumers);
    default:
      return {0, consumers};
  }
}

std::uint64_t channel_count(const ExecutionPlan& plan, const TaskEdge& edge) {
  const std::uint64_t producers = plan.at(edge.from).parallelism;
  const std::uint64_t consumers = plan.at(edge.to).parallelism;
  switch (edge.exchange) {
    case Exchange::kForward:
      return producers;
    case Exchange::kRescale:
      return std::max(producers, consumers);
    default:
      return producers * consumers;
  }
}

std::vector<ChannelSpec> channels(const ExecutionPlan& plan) {
  std::vector<ChannelSpec> all;
  for (const TaskEdge& edge : plan.edges) {
    const std::uint32_t producers = plan.at(edge.from).parallelism;
    const std::uint32_t consumers = plan.at(edge.to).parallelism;
    for (std::uint32_t from = 0; from < producers; ++from) {
      const SubtaskRange range = targets(edge.exchange, SubtaskIndex(from), producers, consumers);
      for (std::uint32_t to = range.first; to < range.end; ++to) {
        all.push_back({.edge = edge.edge,
                       .from = edge.from,
                       .from_subtask = SubtaskIndex(from),
                       .to = edge.to,
                       .to_subtask = SubtaskIndex(to)});
      }
    }
  }
  return all;
}

Status check_channels(const ExecutionPlan& plan) {
  std::uint64_t count = 0;
  for (const TaskEdge& edge : plan.edges) count += channel_count(plan, edge);
  if (count <= kMaxChannels) return {};
  return invalid_argument(concat("the job needs ", count,
                                 " channels between its subtasks, more "
                                 "than ",
                                 kMaxChannels, ": lower its parallelism"));
}

}  // namespace millrace::detail
