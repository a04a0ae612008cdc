// Strong ids: two ids of different meaning never convert into each other or into an integer.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace millrace {

template <class Tag, class Representation>
class StrongId {
 public:
  using representation = Representation;

  constexpr StrongId() = default;
  constexpr explicit StrongId(Representation value) : value_(value) {}

  constexpr Representation value() const { return value_; }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;
  friend std::string to_string(StrongId id) { return std::to_string(id.value_); }

 private:
  Representation value_{};
};

using OperatorId = StrongId<struct OperatorIdTag, std::uint64_t>;      // stable: from the name
using TaskId = StrongId<struct TaskIdTag, std::uint32_t>;              // a chain of the plan
using SubtaskIndex = StrongId<struct SubtaskIndexTag, std::uint32_t>;  // 0 .. parallelism - 1
using SubtaskId = StrongId<struct SubtaskIdTag, std::uint32_t>;        // of all of a job's
using KeyGroup = StrongId<struct KeyGroupTag, std::uint32_t>;          // 0 .. max parallelism - 1
using CheckpointId = StrongId<struct CheckpointIdTag, std::uint64_t>;  // from 1, ever growing
using AttemptId = StrongId<struct AttemptIdTag, std::uint64_t>;        // to run tasks, from 1
using JobId = StrongId<struct JobIdTag, std::uint64_t>;                // in a cluster
using LeaderEpoch = StrongId<struct LeaderEpochTag, std::uint64_t>;    // grows with each leader

}  // namespace millrace

template <class Tag, class Representation>
struct std::hash<millrace::StrongId<Tag, Representation>> {
  std::size_t operator()(millrace::StrongId<Tag, Representation> id) const noexcept {
    return std::hash<Representation>{}(id.value());
  }
};
