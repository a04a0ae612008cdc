// The keys of the group of records at hand, as an operator gives them to its states. States look up
// a whole group at once: that hides the memory's latency, and asks the database once for all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::detail {

inline constexpr std::size_t kMostKeys = 256;  // of a group

struct CurrentKeys {
  std::span<const std::uint64_t> hashes;
  const void* const* keys = nullptr;  // of the stream's key type
  std::uint32_t index = 0;            // the record at hand

  bool inside() const { return index < hashes.size(); }
  std::uint64_t hash() const { return hashes[index]; }
};

}  // namespace millrace::detail
