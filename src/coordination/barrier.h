// Where a checkpoint is taken in the stream, with all that a task must know of it: what comes by
// other ways may come later.
#pragma once

#include <memory>
#include <string>

#include "millrace/core/ids.h"
#include "millrace/core/time.h"

namespace millrace::detail {

// The checkpoint is also a savepoint.
struct SavepointNotice {
  std::string path;    // where the rows of keyed state go
  bool stops = false;  // sources read no more behind it
};

// From some time on it does not wait for the records before it, but overtakes them, and they become
// part of the checkpoint.
struct Barrier {
  CheckpointId checkpoint;
  Timestamp overtakes_at = kMaxTimestamp;  // by the wall clock: never, unless it says
  std::shared_ptr<const SavepointNotice> savepoint = nullptr;  // null: the checkpoint is none

  friend bool operator==(const Barrier&, const Barrier&) = default;
};

}  // namespace millrace::detail
