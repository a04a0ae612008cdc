// The engine's options: what docs/reference/config.md lists, and the constants that read them.
// An option is added here, to kEngineOptions and to that page in the same change.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "millrace/core/config.h"
#include "millrace/core/key_group.h"
#include "millrace/core/log.h"
#include "millrace/core/mode.h"

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

inline constexpr Option<LogLevel> kLogLevel{
    "log.level", "info", "The least urgent messages that are logged, to standard error."};

inline constexpr ConfigOption kEngineOptions[] = {
    kDefaultParallelism, kMaxParallelism, kRuntimeMode, kOperatorChaining, kLogLevel,
};

// MILLRACE_ variables that set no option, and that Config::load therefore leaves alone.
inline constexpr EnvironmentVariable kOtherVariables[] = {
    {"MILLRACE_REST", "The address of the cluster that the `millrace` program talks to."},
};

}  // namespace millrace
