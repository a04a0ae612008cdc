// With which parallelism an adaptive job is to run, as slots come and go: a pure state machine that
// is asked from time to time.
//
// Its slots are those that are free and those that it has. While it waits for more than there are,
// it makes do with fewer; while it runs with fewer than are wanted, it takes more. Either only once
// it has been so for a time, since workers come and go one by one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace millrace::detail {

class AdaptiveParallelism {
 public:
  using Time = std::chrono::nanoseconds;

  explicit AdaptiveParallelism(Time stabilization) : stabilization_(stabilization) {}

  struct Situation {
    bool waits = false;        // for its slots; otherwise it runs
    std::uint32_t now = 1;     // as it is planned
    std::uint32_t wanted = 1;  // at most
    std::uint32_t slots = 0;   // free, or its own
  };
  // How many slots it needs with a parallelism; more with a greater one.
  using SlotsFor = std::function<std::uint32_t(std::uint32_t parallelism)>;

  // Another parallelism that it is to begin anew with.
  std::optional<std::uint32_t> decide(const Situation& situation, const SlotsFor& slots_for,
                                      Time now);

 private:
  Time stabilization_;
  std::optional<Time> since_;  // it could change
};

// The greatest parallelism up to `most` that so many slots are enough for; 0: none.
std::uint32_t greatest_parallelism(std::uint32_t most, std::uint32_t slots,
                                   const AdaptiveParallelism::SlotsFor& slots_for);

}  // namespace millrace::detail
