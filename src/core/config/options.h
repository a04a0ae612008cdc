// The engine's options and flags: what docs/reference/config.md lists, and the constants that read
// them. One is added here, to its table and to that page in the same change.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "millrace/core/config/arguments.h"
#include "millrace/core/config/config.h"
#include "millrace/core/log.h"
#include "millrace/core/mode.h"
#include "millrace/core/records/key_group.h"

namespace millrace {

inline constexpr Option<std::optional<std::int64_t>> kDefaultParallelism{
    "parallelism.default", "auto",
    "How many subtasks an operator has that names no number itself. Automatic is one per core.",
    IntegerRange{1, kMostMaxParallelism}};

inline constexpr Option<std::optional<std::int64_t>> kMaxParallelism{
    "pipeline.max-parallelism", "auto",
    "The number of key groups, and so the highest parallelism a job can be rescaled to. It cannot "
    "change once a job has state. Automatic is one and a half times the parallelism, rounded up "
    "to a power of two, and at least 128.",
    IntegerRange{1, kMostMaxParallelism}};

inline constexpr Option<Mode> kRuntimeMode{
    "execution.runtime-mode", "automatic",
    "Whether results are emitted as they change (streaming) or once at the end of the input "
    "(batch). Automatic is batch when every source is bounded."};

inline constexpr Option<bool> kOperatorChaining{
    "pipeline.operator-chaining.enabled", "true",
    "Whether operators joined by forward edges run in one task, without a queue between them."};

inline constexpr Option<Duration> kCancellationTimeout{
    "task.cancellation.timeout", "30s",
    "How long a job that is stopped by a signal may take to stop; then the program ends without "
    "it, "
    "as where user code never returns or nobody reads what is printed."};

inline constexpr Option<LogLevel> kLogLevel{"log.level", "info",
                                            "The least urgent messages that are logged."};

inline constexpr Option<std::string> kLogFile{
    "log.file", "",
    "The file that messages are appended to; it is made with its folders. None is standard error."};

inline constexpr Option<LogFormat> kLogFormat{
    "log.format", "text",
    "Whether a message is a line of text or a JSON object, also on a line of its own."};

inline constexpr ConfigOption kEngineOptions[] = {
    kDefaultParallelism,  kMaxParallelism, kRuntimeMode, kOperatorChaining,
    kCancellationTimeout, kLogLevel,       kLogFile,     kLogFormat,
};

inline constexpr EngineFlag kEngineFlags[] = {
    {"parallelism", EngineFlag::Value::kRequired, "N",
     "How many subtasks each operator has; default: one per core."},
    {"mode", EngineFlag::Value::kRequired, "MODE",
     "streaming, batch, or automatic (batch when every source is bounded)."},
    {"config", EngineFlag::Value::kRequired, "FILE", "Settings in YAML; default: millrace.yaml."},
    {"plan", EngineFlag::Value::kOptional, "FORMAT",
     "Print the plan as text, json or capnp, and do not run."},
};

}  // namespace millrace
