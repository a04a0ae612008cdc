// What became of a job's last checkpoints, for whoever asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "millrace/core/ids.h"
#include "millrace/core/result.h"
#include "millrace/core/time.h"
#include "millrace/state/checkpoint_store.h"

namespace millrace::detail {

struct CheckpointReport {
  std::uint64_t id = 0;
  std::string path;
  bool savepoint = false;
  Timestamp triggered;
  std::optional<Timestamp> completed = {};
  std::string failure = {};  // why it was given up

  bool operator==(const CheckpointReport&) const = default;
};

class CheckpointHistory {
 public:
  static constexpr std::size_t kRemembered = 10;

  // So many were complete before: the job goes on from the last of them.
  void found(std::size_t completed);

  void triggered(const CheckpointName& name, Timestamp now);
  void savepoint_triggered(const CheckpointName& name, std::string path, Timestamp now);
  // Of a savepoint that is the job's own checkpoint: what people asked for is not written yet.
  void completed(CheckpointId id, Timestamp now);
  void savepoint_written(CheckpointId id, const Status& status, Timestamp now);
  void aborted(CheckpointId id, const Error& error);

  std::uint64_t completed() const { return completed_; }
  // The newest last. The path of one that is no savepoint is its name alone.
  const std::vector<CheckpointReport>& last() const { return last_; }

 private:
  void add(CheckpointReport report);
  CheckpointReport* find(CheckpointId id);

  std::uint64_t completed_ = 0;
  std::vector<CheckpointReport> last_;
};

}  // namespace millrace::detail
