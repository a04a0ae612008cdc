// The steps of the protocols by which a job survives failures, for tests that have the process die
// at each of them. The engine says that it passed one; what follows is for the test to say, by its
// own hook. Without one, which is always so outside of tests, a point costs the look at a variable,
// and none of them comes for each record.
//
// Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "millrace/core/result.h"

namespace millrace::detail {

// clang-format off
enum class FailPoint : std::uint8_t {
  kJobClaimed,         // the job's record says that this process leads
  kTaskRestored,       // from a checkpoint, and nothing is committed again yet
  kInFlightRestored,
  kTaskOpened,
  kStateRestored,      // the database of an operator instance, or a part of it after rescaling
  kSplitAssigned,      // to a reader, which has not got it yet
  kBarrierTaken,       // by a task, which has done nothing about it yet
  kSinkPrepared,       // what a sink wrote is durable, and not shown
  kSnapshotStarted,    // the keyed state is frozen
  kRowsEvicted,        // from memory, on their way to the database
  kFileIngested,       // rows are in the database
  kFileUploaded,       // one of a checkpoint's
  kFilesUploaded,      // all of an operator instance
  kInFlightStored,     // records that a barrier has overtaken
  kAcknowledged,       // by a task
  kCheckpointTriggered,   // some of the hosts were told, by the job's coordinator
  kAcknowledgementHeard,  // one, by the job's coordinator
  kMetadataWritten,
  kPointerSwapped,     // the checkpoint is complete, and nobody knows it
  kCompletionTold,     // to some of the hosts
  kSinkCommitted,      // one of what a sink had prepared
  kMetadataRemoved,    // of a checkpoint that is not retained, and its files are still there
  kUnusedRemoved,
  kTimerFired,
  kEndRecorded,        // the job's record says how it ended
  kSubmissionKept,     // a cluster's leader has noted a job, and answered nobody
  kEnd,                // none: the number of them
};
// clang-format on

inline constexpr std::size_t kFailPoints = static_cast<std::size_t>(FailPoint::kEnd);
// The first ones. Whatever runs a job passes them, the others a cluster's leader alone.
inline constexpr std::size_t kFailPointsOfJobs =
    static_cast<std::size_t>(FailPoint::kSubmissionKept);

inline constexpr std::array<std::string_view, kFailPoints> kFailPointWords{
    "job-claimed",           "task-restored",    "in-flight-restored", "task-opened",
    "state-restored",        "split-assigned",   "barrier-taken",      "sink-prepared",
    "snapshot-started",      "rows-evicted",     "file-ingested",      "file-uploaded",
    "files-uploaded",        "in-flight-stored", "acknowledged",       "checkpoint-triggered",
    "acknowledgement-heard", "metadata-written", "pointer-swapped",    "completion-told",
    "sink-committed",        "metadata-removed", "unused-removed",     "timer-fired",
    "end-recorded",          "submission-kept",
};

constexpr std::string_view to_string(FailPoint point) {
  return kFailPointWords[static_cast<std::size_t>(point)];
}

using FailPointHook = void (*)(FailPoint);

// Set by a test's program before it starts a job.
inline std::atomic<FailPointHook> fail_point_hook{nullptr};

inline void pass(FailPoint point) {
  const FailPointHook hook = fail_point_hook.load(std::memory_order_relaxed);
  if (hook != nullptr) [[unlikely]]
    hook(point);
}

// The same where the step was taken only if it did not fail.
inline Status passed(FailPoint point, Status status) {
  if (status) pass(point);
  return status;
}

}  // namespace millrace::detail
