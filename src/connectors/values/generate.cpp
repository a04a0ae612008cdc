#include "millrace/connectors/values/generate.h"

#include <algorithm>
#include <cmath>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

}  // namespace

Status check_generate(const GenerateOptions& options) {
  const double rate = options.rate_per_second.value_or(1);
  if (std::isfinite(rate) && rate > 0) return {};
  return invalid_argument(concat("generate() has .rate_per_second = ", std::to_string(rate),
                                 "; give a positive number, or none for as fast as it goes"));
}

std::vector<GenerateSplit> generate_splits(const GenerateOptions& options,
                                           std::uint32_t parallelism) {
  std::vector<GenerateSplit> splits;
  for (std::uint64_t first = 0; first < parallelism; ++first) {
    if (options.count && first >= *options.count) break;
    splits.push_back({.next = first, .step = parallelism});
  }
  return splits;
}

std::uint64_t generate_seed(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t mixed = seed ^ (index * 0xd6e8feb86659fd93);
  mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93;
  mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93;
  return mixed ^ (mixed >> 32);
}

Pace::Pace(double per_second, std::uint64_t next, std::chrono::nanoseconds now)
    : per_second_(per_second), first_(next), start_(now) {}

std::uint64_t Pace::due(std::chrono::nanoseconds now) const {
  if (per_second_ == 0) return UINT64_MAX;
  const double elapsed = static_cast<double>((now - start_).count()) / kNanosecondsPerSecond;
  const double passed = elapsed * per_second_;
  if (passed >= static_cast<double>(UINT64_MAX - first_)) return UINT64_MAX;
  return first_ + static_cast<std::uint64_t>(passed) + 1;
}

// Rounded up, so that the index is due when the pause is over.
std::chrono::nanoseconds Pace::until(std::uint64_t index, std::chrono::nanoseconds now) const {
  constexpr double kLatest = 4e18;  // nanoseconds, beyond which they overflow
  const double at =
      std::min(kLatest, static_cast<double>(index - first_) / per_second_ * kNanosecondsPerSecond);
  const std::chrono::nanoseconds due = start_ + std::chrono::nanoseconds(std::llround(at) + 1);
  return std::max(due - now, std::chrono::nanoseconds(1));
}

}  // namespace millrace::detail
