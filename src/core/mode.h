// The choices that a configuration makes, and the words for them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace millrace {

// When results are emitted. Batch mode changes nothing else: records, watermarks and timers come as
// in streaming.
enum class Mode {
  kStreaming,
  kBatch,      // rolling results are emitted once, at the end of the input
  kAutomatic,  // batch if every source is bounded
};

inline constexpr std::array<std::string_view, 3> kModeWords{"streaming", "batch", "automatic"};
constexpr std::span<const std::string_view> words_of(Mode) { return kModeWords; }
constexpr std::string_view to_string(Mode mode) {
  return kModeWords[static_cast<std::size_t>(mode)];
}

// How often a record counts in state after a failure. At least once, no channel waits for others.
enum class CheckpointMode : std::uint8_t { kExactlyOnce, kAtLeastOnce };
inline constexpr std::array<std::string_view, 2> kCheckpointModeWords{"exactly-once",
                                                                      "at-least-once"};
constexpr std::span<const std::string_view> words_of(CheckpointMode) {
  return kCheckpointModeWords;
}

// Whether a job's checkpoints outlive it. On cancellation includes on failure.
enum class CheckpointRetention : std::uint8_t { kNone, kOnFailure, kOnCancellation };
inline constexpr std::array<std::string_view, 3> kCheckpointRetentionWords{
    "no-externalized-checkpoints", "delete-on-cancellation", "retain-on-cancellation"};
constexpr std::span<const std::string_view> words_of(CheckpointRetention) {
  return kCheckpointRetentionWords;
}

// Where keyed state lives: with a limit to the memory it takes, or without.
enum class StateBackend : std::uint8_t { kRocksdb, kMemory };
inline constexpr std::array<std::string_view, 2> kStateBackendWords{"rocksdb", "memory"};
constexpr std::span<const std::string_view> words_of(StateBackend) { return kStateBackendWords; }

// What follows a failure.
enum class RestartKind : std::uint8_t { kNone, kFixedDelay, kFailureRate, kExponentialDelay };
inline constexpr std::array<std::string_view, 4> kRestartKindWords{
    "none", "fixed-delay", "failure-rate", "exponential-delay"};
constexpr std::span<const std::string_view> words_of(RestartKind) { return kRestartKindWords; }

// Whether a job waits for all of its slots, or makes do with fewer.
enum class SchedulerKind : std::uint8_t { kDefault, kAdaptive };
inline constexpr std::array<std::string_view, 2> kSchedulerKindWords{"default", "adaptive"};
constexpr std::span<const std::string_view> words_of(SchedulerKind) { return kSchedulerKindWords; }

// Where the processes of a cluster agree on who leads.
enum class HighAvailabilityKind : std::uint8_t { kNone, kZooKeeper };
inline constexpr std::array<std::string_view, 2> kHighAvailabilityKindWords{"none", "zookeeper"};
constexpr std::span<const std::string_view> words_of(HighAvailabilityKind) {
  return kHighAvailabilityKindWords;
}

}  // namespace millrace
