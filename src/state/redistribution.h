// How the pieces of an operator's snapshots find their owners when a job goes on: one function,
// whatever the two parallelisms are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "millrace/state/snapshot.h"

namespace millrace::detail {

// The pieces for each of `parallelism` subtasks, of those that each subtask of before had. With as
// many subtasks as before each gets its own again, except that a union goes to all. Otherwise the
// elements, in the order of the subtasks, are dealt in contiguous parts as even as possible. Of
// what is the same in all, subtask i gets the copy of subtask i modulo their number before.
std::vector<Snapshot> redistribute(std::span<const Snapshot::Pieces* const> before,
                                   std::uint32_t parallelism);

}  // namespace millrace::detail
