// The messages of host_protocol.h as bytes: a Cap'n Proto message of schemas/control.capnp each.
// Decoding takes bytes from anywhere: what is malformed is kCorruption.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "millrace/coordination/host_protocol.h"
#include "millrace/core/result.h"

namespace millrace::detail {

using HostCommand = std::variant<OpenTasks, StartTasks, CloseTasks, Trigger, CompleteCheckpoint,
                                 AbortCheckpoint, ResumeSources, Drain>;
using HostReport = std::variant<TaskOpened, TaskFinished, TaskFailed, TaskClosed,
                                CheckpointAcknowledged, CheckpointDeclined, CheckpointCommitted,
                                EnumeratorFailed, SplitsAcknowledged, HostReady, HostProgress>;

// Fails where a value of state cannot be encoded.
Result<std::string> encode(const HostCommand& command);
Result<std::string> encode(const HostReport& report);

Result<HostCommand> decode_host_command(std::string_view bytes);
Result<HostReport> decode_host_report(std::string_view bytes);

}  // namespace millrace::detail
