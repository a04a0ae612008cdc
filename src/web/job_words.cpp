#include "millrace/web/job_words.h"

namespace millrace::detail {
namespace {

struct FlinkWords {
  std::string_view job;
  std::string_view placed;    // a subtask that has a worker
  std::string_view unplaced;  // one that has none
};

constexpr FlinkWords kFlinkWords[] = {
    {"CREATED", "SCHEDULED", "CREATED"},            // waiting
    {"INITIALIZING", "INITIALIZING", "SCHEDULED"},  // starting
    {"RUNNING", "RUNNING", "SCHEDULED"},            // running
    {"RESTARTING", "INITIALIZING", "SCHEDULED"},    // restarting
    {"CANCELLING", "CANCELING", "CANCELED"},        // ending
    {"FINISHED", "FINISHED", "FINISHED"},           // finished
    {"FINISHED", "FINISHED", "FINISHED"},           // stopped
    {"CANCELED", "CANCELED", "CANCELED"},           // cancelled
    {"FAILED", "FAILED", "CANCELED"},               // failed
};
static_assert(std::size(kFlinkWords) == kJobPhaseWords.size());

const FlinkWords& words_for(JobPhase phase) { return kFlinkWords[static_cast<std::size_t>(phase)]; }

}  // namespace

std::string_view flink_state_of(JobPhase phase) { return words_for(phase).job; }

std::string_view flink_state_of_subtask(JobPhase phase, bool placed) {
  return placed ? words_for(phase).placed : words_for(phase).unplaced;
}

}  // namespace millrace::detail
