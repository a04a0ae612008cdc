// The injected source of randomness. The same seed gives the same numbers on every machine and in
// every version, which replaying a simulation relies on: the algorithms (xoshiro256**, seeded by
// splitmix64) are part of the contract. Fast, and of no use for secrets.
// A value: copying it copies its future. One thread at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "millrace/core/check.h"

namespace millrace {

class Random {
 public:
  using result_type = std::uint64_t;  // so that the standard library's shuffle and sample take it

  constexpr explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = split_mix(seed);
  }

  constexpr std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, limit), without bias; limit is not 0. By Lemire's method: the high word of
  // next() * limit, drawn again in the rare case that its low word falls into the surplus.
  std::uint64_t below(std::uint64_t limit) {
    check(limit > 0, "a random number below 0 was asked for");
    Wide product = static_cast<Wide>(next()) * limit;
    if (static_cast<std::uint64_t>(product) < limit) {
      const std::uint64_t surplus = (0 - limit) % limit;
      while (static_cast<std::uint64_t>(product) < surplus) {
        product = static_cast<Wide>(next()) * limit;
      }
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

  // Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  // True once in `1 / probability` calls.
  constexpr bool chance(double probability) { return uniform() < probability; }

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  constexpr result_type operator()() { return next(); }

  friend constexpr bool operator==(const Random&, const Random&) = default;

 private:
  __extension__ using Wide = unsigned __int128;

  static constexpr std::uint64_t split_mix(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::uint64_t state_[4] = {};
};

}  // namespace millrace
