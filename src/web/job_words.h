// The phases of a job as words: Millrace's own, which commands print, and Flink's, which its tools
// know.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "millrace/coordination/cluster_control.h"

namespace millrace::detail {

inline constexpr std::array<std::string_view, 9> kJobPhaseWords{
    "waiting",  "starting", "running",   "restarting", "ending",
    "finished", "stopped",  "cancelled", "failed"};
constexpr std::span<const std::string_view> words_of(JobPhase) { return kJobPhaseWords; }

constexpr bool has_ended(JobPhase phase) { return phase >= JobPhase::kFinished; }
constexpr bool ended_well(JobPhase phase) {
  return phase == JobPhase::kFinished || phase == JobPhase::kStopped;
}

// RUNNING, CANCELED and so on; a job that waits for slots is CREATED, one that was stopped
// FINISHED.
std::string_view flink_state_of(JobPhase phase);
// The same of a subtask in a job of this phase, which has a worker or has none.
std::string_view flink_state_of_subtask(JobPhase phase, bool placed);

}  // namespace millrace::detail
