#include "millrace/coordination/restart_strategy.h"

#include <algorithm>

namespace millrace::detail {
namespace {

using std::chrono::nanoseconds;
using Failures = std::span<const nanoseconds>;
using Delay = std::optional<nanoseconds>;

nanoseconds scaled(nanoseconds time, double factor) {
  return std::chrono::duration_cast<nanoseconds>(time * factor);
}

Delay delay_by(const NoRestart&, Failures, Random&) { return std::nullopt; }

Delay delay_by(const FixedDelayRestart& fixed, Failures failures, Random&) {
  return failures.size() > fixed.attempts ? std::nullopt : Delay(fixed.delay);
}

Delay delay_by(const FailureRateRestart& rate, Failures failures, Random&) {
  const nanoseconds begin = failures.back() - rate.interval;
  const auto recent = std::ranges::count_if(failures, [&](nanoseconds at) { return at > begin; });
  return static_cast<std::size_t>(recent) > rate.failures ? std::nullopt : Delay(rate.delay);
}

Delay delay_by(const ExponentialDelayRestart& exponential, Failures failures, Random& random) {
  nanoseconds delay = exponential.initial;
  for (std::size_t i = 1; i < failures.size(); ++i) {
    const bool calm = failures[i] - failures[i - 1] >= delay + exponential.reset_after;
    delay = calm ? exponential.initial
                 : std::min(scaled(delay, exponential.multiplier), exponential.most);
  }
  if (exponential.jitter == 0) return delay;
  return scaled(delay, 1 + exponential.jitter * (2 * random.uniform() - 1));
}

}  // namespace

Delay restart_delay(const RestartSettings& settings, Failures failures, Random& random) {
  return std::visit([&](const auto& strategy) { return delay_by(strategy, failures, random); },
                    settings);
}

}  // namespace millrace::detail
