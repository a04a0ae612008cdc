// What travels on a channel: a batch, with the watermark that follows it, a barrier, or the mark of
// the end. A watermark also ends the idleness of a channel, whether it has grown or not.
#pragma once

#include "millrace/coordination/barrier.h"
#include "millrace/core/records/batch.h"

namespace millrace::detail {

struct Element {
  enum class Kind : std::uint8_t {
    kBatch,      // records, and after them `watermark` and `idle` if they are set
    kWatermark,  // `watermark` and `idle` alone
    kBarrier,    // `barrier`
    kEnd,        // nothing follows on this channel
  };

  Kind kind = Kind::kBatch;
  BatchPtr batch;
  Timestamp watermark = kMinTimestamp;
  bool idle = false;  // then nobody is to wait for the channel's next watermark
  Barrier barrier;
  bool restored = false;  // a batch from a checkpoint: it used no credit, and returns none
};

}  // namespace millrace::detail
