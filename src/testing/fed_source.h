// Stands in a test for a source of the job: emits the records that the test feeds, each at a time
// of its own, so that a job that has nothing else to do is done with one before the next comes. The
// first subtask reads them all; how many it has read is its state. Event time is that of the source
// in whose place it stands.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "millrace/operators/any_source.h"

namespace millrace::detail {

// Times count from when the source is opened, in each attempt anew: so several sources keep to
// their common order also when they go on from a checkpoint.
struct FedRecords {
  BatchPtr batch;
  std::vector<std::chrono::nanoseconds> due;  // of each record
  std::chrono::nanoseconds end{0};            // of the source; not before its last record
};

class FedSource final : public AnySource {
 public:
  explicit FedSource(std::shared_ptr<const FedRecords> fed) : fed_(std::move(fed)) {}

  Status open(const OperatorContext& context) override;
  Result<Poll> poll(Outputs& outputs) override;
  Status snapshot(Snapshot& snapshot) override;
  Status restore(const Snapshot& snapshot) override;

 private:
  Poll next_poll(std::chrono::nanoseconds now) const;

  std::shared_ptr<const FedRecords> fed_;
  const Clock* clock_ = nullptr;
  std::chrono::nanoseconds opened_{0};
  bool reads_ = false;  // the first subtask does
  std::uint64_t next_ = 0;
  SplitTime read_;
};

}  // namespace millrace::detail
