// What travels on a channel: a batch, with the watermark that follows it, a barrier, or the mark of
// the end. A watermark also ends the idleness of a channel, whether it has grown or not.
#pragma once

#include <memory>

#include "millrace/actors/savepoint_notice.h"
#include "millrace/core/ids.h"
#include "millrace/core/records/batch.h"

namespace millrace::detail {

// Where a checkpoint is taken in the stream. From some time on it does not wait for the records
// before it, but overtakes them, and they become part of the checkpoint.
struct Barrier {
  CheckpointId checkpoint;
  Timestamp overtakes_at = kMaxTimestamp;  // by the wall clock: never, unless it says
  std::shared_ptr<const SavepointNotice> savepoint = nullptr;  // null: the checkpoint is none

  friend bool operator==(const Barrier&, const Barrier&) = default;
};

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
