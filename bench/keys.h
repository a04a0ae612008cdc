// Keys drawn uniformly, and by Zipf's law with s = 1.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "millrace/core/random.h"
#include "millrace/core/records/hash.h"

namespace millrace::bench {

inline std::vector<std::uint64_t> uniform_keys(std::uint64_t keys, std::size_t count) {
  Random random(1);
  std::vector<std::uint64_t> drawn(count);
  for (std::uint64_t& key : drawn) key = random.below(keys);
  return drawn;
}

// The ranks are spread over the keys, so that hot ones are no neighbours.
inline std::vector<std::uint64_t> zipf_keys(std::uint64_t keys, std::size_t count) {
  std::vector<double> until(keys);
  double total = 0;
  for (std::size_t i = 0; i < until.size(); ++i) {
    until[i] = total += 1.0 / static_cast<double>(i + 1);
  }
  Random random(1);
  std::vector<std::uint64_t> drawn(count);
  for (std::uint64_t& key : drawn) {
    const auto rank = std::ranges::lower_bound(until, random.uniform() * total) - until.begin();
    key = detail::mix64(static_cast<std::uint64_t>(rank)) % keys;
  }
  return drawn;
}

}  // namespace millrace::bench
