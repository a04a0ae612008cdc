// A job whose records in keyed state change from one version of the program to the next: fields are
// added, removed, put into another order and made wider. What it emits is the same in all of them.
#pragma once

#include <cstddef>

#include "millrace/api/job.h"

namespace millrace::faults {

// Each goes on from what any one before it has written.
inline constexpr std::size_t kVersions = 6;

// Parameters: --version from 0, --output, and --seed, --partitions, --rounds, --keys, --burst and
// --pause of the events.
void evolving_job(Job& job);

}  // namespace millrace::faults
