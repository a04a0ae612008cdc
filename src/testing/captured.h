// What a sink of the job under test shows: in its place records are kept in memory, and seen once
// their checkpoint is complete, as by readers of a sink that writes in two phases. Of one run; all
// on the thread of the simulated cluster.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "millrace/operators/two_phase_sink.h"

namespace millrace::detail {

class Captured {
 public:
  void stage(const Transaction& transaction, BatchPtr records);
  void show(const Transaction& transaction);

  // In the order of the subtasks, and in each in the order in which they were written.
  std::vector<BatchPtr> shown() const;

 private:
  std::map<std::pair<std::uint32_t, std::uint64_t>, BatchPtr> staged_;  // by subtask, checkpoint
  std::map<std::uint32_t, BatchPtr> shown_;                             // by subtask
};

class CapturingSink final : public TwoPhaseSink {
 public:
  explicit CapturingSink(std::shared_ptr<Captured> captured) : captured_(std::move(captured)) {}

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs&) override;

 private:
  Status begin(bool) override { return {}; }  // what is left over is never shown
  Result<bool> stage(const Transaction& transaction) override;
  Status publish(const Transaction& transaction) override;

  std::shared_ptr<Captured> captured_;
  BatchPtr pending_;  // since the last checkpoint; null if nothing
};

}  // namespace millrace::detail
