#include "millrace/actors/linked_process.h"

#include <random>

namespace millrace::detail {

// Peers tell this start of the process from those before it by a number that nobody chooses.
Hello LinkedProcess::hello(Role role) const {
  std::random_device random;
  const std::uint64_t high = random();
  return {
      .role = role, .cluster = cluster, .identity = identity, .incarnation = high << 32 | random()};
}

}  // namespace millrace::detail
