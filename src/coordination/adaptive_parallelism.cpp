#include "millrace/coordination/adaptive_parallelism.h"

namespace millrace::detail {

std::optional<std::uint32_t> AdaptiveParallelism::decide(const Situation& situation,
                                                         const SlotsFor& slots_for, Time now) {
  const std::uint32_t possible = greatest_parallelism(situation.wanted, situation.slots, slots_for);
  const bool could =
      situation.waits ? possible > 0 && possible != situation.now : possible > situation.now;
  if (!could) {
    since_.reset();
    return std::nullopt;
  }
  if (!since_) since_ = now;
  if (now - *since_ < stabilization_) return std::nullopt;
  since_.reset();
  return possible;
}

std::uint32_t greatest_parallelism(std::uint32_t most, std::uint32_t slots,
                                   const AdaptiveParallelism::SlotsFor& slots_for) {
  std::uint32_t enough = 0;
  std::uint32_t too_many = most + 1;
  while (too_many - enough > 1) {
    const std::uint32_t middle = enough + (too_many - enough) / 2;
    (slots_for(middle) <= slots ? enough : too_many) = middle;
  }
  return enough;
}

}  // namespace millrace::detail
