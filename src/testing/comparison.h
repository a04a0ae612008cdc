// What two runs of a job have shown, as text: so records of every type compare and print alike.
#pragma once

#include <string>
#include <vector>

#include "millrace/core/records/type.h"
#include "millrace/testing/captured.h"

namespace millrace::detail {

using Lines = std::vector<std::string>;

// A record as a line of JSON.
std::string line_of(const AnyBatch& batch, std::size_t row, const Type& type);
Lines lines_of(const std::vector<BatchPtr>& batches, const Type& type);

// What is missing and what is there without being expected, a line for each of the first few of
// them; empty if nothing differs. Unless `in_order`, the order is nobody's concern.
std::string difference(Lines expected, Lines shown, bool in_order);

}  // namespace millrace::detail
