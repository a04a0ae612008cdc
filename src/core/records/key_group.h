// Key groups: the unit in which keyed state moves between subtasks. A key belongs to the same group
// for ever; a job has as many groups as its maximum parallelism, which cannot change, and each
// subtask owns a contiguous range of them, as in Flink. Groups are contiguous ranges of the hash.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "millrace/core/check.h"
#include "millrace/core/ids.h"

namespace millrace {

constexpr std::uint32_t kLeastDefaultMaxParallelism = 128;
constexpr std::uint32_t kMostMaxParallelism = 32'768;

constexpr KeyGroup key_group_of(std::uint64_t hash, std::uint32_t max_parallelism) {
  return KeyGroup(static_cast<std::uint32_t>(((hash >> 32) * max_parallelism) >> 32));
}

// The groups from `first` to `last`, both inclusive.
struct KeyGroupRange {
  KeyGroup first{0};
  KeyGroup last{0};

  constexpr std::uint32_t size() const { return last.value() - first.value() + 1; }
  constexpr bool contains(KeyGroup group) const { return first <= group && group <= last; }
  friend constexpr bool operator==(KeyGroupRange, KeyGroupRange) = default;
};

// How the key groups of a job are spread over the subtasks of an operator: every subtask has at
// least one group, which is why the parallelism may not exceed the maximum.
struct KeyGroupLayout {
  std::uint32_t parallelism = 1;
  std::uint32_t max_parallelism = kLeastDefaultMaxParallelism;

  constexpr SubtaskIndex subtask_of(KeyGroup group) const {
    return SubtaskIndex(
        static_cast<std::uint32_t>(wide(group.value()) * parallelism / max_parallelism));
  }
  KeyGroupRange range_of(SubtaskIndex subtask) const {
    check(parallelism >= 1 && parallelism <= max_parallelism,
          "the parallelism exceeds the maximum parallelism");
    check(subtask.value() < parallelism, "there is no such subtask");
    const std::uint64_t index = subtask.value();
    const std::uint64_t first = (index * max_parallelism + parallelism - 1) / parallelism;
    const std::uint64_t last = ((index + 1) * max_parallelism - 1) / parallelism;
    return {KeyGroup(static_cast<std::uint32_t>(first)),
            KeyGroup(static_cast<std::uint32_t>(last))};
  }

 private:
  static constexpr std::uint64_t wide(std::uint32_t value) { return value; }
};

// The maximum parallelism of a job that sets none, when it first runs with this parallelism.
constexpr std::uint32_t default_max_parallelism(std::uint32_t parallelism) {
  const std::uint64_t roomy = std::uint64_t{parallelism} + parallelism / 2;
  const std::uint64_t rounded = std::bit_ceil(roomy);
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(rounded, kLeastDefaultMaxParallelism, kMostMaxParallelism));
}

}  // namespace millrace
