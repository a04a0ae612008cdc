// What travels on a channel: a batch, with the watermark that follows it, a barrier, or the mark of
// the end.
#pragma once

#include "millrace/core/ids.h"
#include "millrace/core/records/batch.h"

namespace millrace::detail {

struct Element {
  enum class Kind : std::uint8_t {
    kBatch,      // records, and after them `watermark` if it is set
    kWatermark,  // `watermark` alone
    kBarrier,    // of `checkpoint`
    kEnd,        // nothing follows on this channel
  };

  Kind kind = Kind::kBatch;
  BatchPtr batch;
  Timestamp watermark = kMinTimestamp;
  CheckpointId checkpoint;
};

}  // namespace millrace::detail
