// Where a checkpoint is taken in the stream, with all that a task must know of it: what comes by
// other ways may come later.
#pragma once

#include <memory>
#include <string>

#include "millrace/core/ids.h"
#include "millrace/core/time.h"

namespace millrace::detail {

// Somebody asked for the checkpoint, which is also a savepoint if it has a path.
struct SavepointNotice {
  std::string path;    // where the rows of keyed state go; empty: none are written
  bool stops = false;  // sources read no more behind it
};

// A task refers to files of the completed checkpoint alone, whether it has heard of its completion
// otherwise or not: those of others may go.
//
// From some time on it does not wait for the records before it, but overtakes them, and they become
// part of the checkpoint.
struct Barrier {
  CheckpointId checkpoint;
  CheckpointId completed{0};               // the last one before it that is complete; 0: none
  Timestamp overtakes_at = kMaxTimestamp;  // by the wall clock: never, unless it says
  std::shared_ptr<const SavepointNotice> savepoint = nullptr;  // null: nobody did

  bool writes_rows() const { return savepoint != nullptr && !savepoint->path.empty(); }

  friend bool operator==(const Barrier&, const Barrier&) = default;
};

}  // namespace millrace::detail
