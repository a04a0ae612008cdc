// What a key has in the benchmarks of state.
#pragma once

#include <cstdint>

namespace millrace::bench {

struct Counter {
  std::uint64_t count = 0;
  std::uint64_t last = 0;
};

}  // namespace millrace::bench
