// Whether and when a job that failed is started again: functions of the times of its failures.
#pragma once

#include <chrono>
#include <optional>
#include <span>

#include "millrace/core/random.h"
#include "millrace/plan/execution_settings.h"

namespace millrace::detail {

// How long to wait after the last of the failures, or nothing if the job is to be given up. The
// failures are in order, with at least one. Only jitter draws from `random`.
std::optional<std::chrono::nanoseconds> restart_delay(
    const RestartSettings& settings, std::span<const std::chrono::nanoseconds> failures,
    Random& random);

}  // namespace millrace::detail
