#include "millrace/core/records/batch.h"

namespace millrace::detail {

void AnyBatch::stamp(std::span<const Timestamp> timestamps) {
  timestamps_.insert(timestamps_.end(), timestamps.begin(), timestamps.end());
}

void AnyBatch::match_stamps(bool stamped) {
  if (stamped && timestamps_.empty()) timestamps_.resize(size_, kMinTimestamp);
}

void AnyBatch::pad_stamps() {
  if (stamped()) timestamps_.resize(size_, kMinTimestamp);
}

}  // namespace millrace::detail
