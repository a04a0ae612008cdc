// The messages of worker_protocol.h as bytes: a Cap'n Proto message of schemas/control.capnp each.
// Decoding takes bytes from anywhere: what is malformed is kCorruption. A job, a host and an
// artifact that were decoded have names of their form, so that files may be named by them.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/result.h"

namespace millrace::detail {

using WorkerCommand = std::variant<StartHost, StopHost, RedirectHost, ArtifactPart, ReadLog>;
using WorkerReport = std::variant<RegisterWorker, HostEnded, FetchArtifact, LogRead>;

Result<std::string> encode(const WorkerCommand& command);
Result<std::string> encode(const WorkerReport& report);

Result<WorkerCommand> decode_worker_command(std::string_view bytes);
Result<WorkerReport> decode_worker_report(std::string_view bytes);

}  // namespace millrace::detail
