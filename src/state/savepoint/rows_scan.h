// A walk over the rows that a savepoint has of one operator instance, a file in memory at a time.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "millrace/state/checkpoint_metadata.h"
#include "millrace/state/state_store.h"

namespace millrace::detail {

// The rows from `first` up to `end`, not included; an empty `end` is the last row's. What is given
// outlives the scan.
std::unique_ptr<StateScan> scan_rows_of(std::span<const RowsFile> files, CheckpointStore& from,
                                        std::string_view first, std::string_view end);

}  // namespace millrace::detail
