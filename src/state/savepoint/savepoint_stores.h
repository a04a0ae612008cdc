// Makes and finds the snapshots that people name by a path: savepoints to be written, and whatever
// a job is to go on from that is not its own latest checkpoint.
//
// Calls block, and may come from any thread.
#pragma once

#include <memory>
#include <string>

#include "millrace/state/checkpoint_metadata.h"

namespace millrace::detail {

// A snapshot that is complete, and where its files lie. Nobody writes there.
struct FoundSnapshot {
  std::shared_ptr<CheckpointStore> store;
  CheckpointMetadata metadata;
  bool savepoint = false;  // in that format
};

class SavepointStores {
 public:
  virtual ~SavepointStores() = default;

  // A new one, with nothing in it. Its remove_unused() discards it.
  virtual Result<std::shared_ptr<CheckpointStore>> create(const std::string& path) = 0;

  // One that was created, for whoever writes a part of it, in whatever process.
  virtual std::shared_ptr<CheckpointStore> open(const std::string& path) = 0;

  // A savepoint, a checkpoint, or the newest checkpoint of a directory of them.
  virtual Result<FoundSnapshot> find(const std::string& path) = 0;
};

}  // namespace millrace::detail
