// What sinks share that show each record exactly once: which checkpoints were prepared and not yet
// committed is part of the sink's own snapshot, so that nothing prepared is forgotten, and what was
// prepared after the checkpoint that a job fell back to is never shown.
//
// The engine calls prepare(n) before it takes the snapshot of checkpoint n, and commit(n) once n is
// complete; that commits all prepared up to n, so that an aborted checkpoint's records are shown
// with the next. After a restore it opens the sink and then commits the checkpoint it restored,
// before any record: by then the list may hold what other subtasks prepared.
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/core/ids.h"
#include "millrace/operators/any_sink.h"

namespace millrace::detail {

// What one subtask wrote between two checkpoints.
struct Transaction {
  std::uint32_t subtask = 0;
  std::uint64_t checkpoint = 0;

  friend bool operator==(const Transaction&, const Transaction&) = default;
};

class TwoPhaseSink : public AnySink {
 public:
  Status open(const OperatorContext& context) override;
  Status prepare(CheckpointId checkpoint) final;
  Status commit(CheckpointId checkpoint) final;
  Status snapshot(Snapshot& snapshot) override;
  Status restore(const Snapshot& snapshot) override;

 protected:
  // To be called before each write.
  Status ready() { return begun_ ? Status() : begin_once(); }

  std::uint32_t subtask() const { return subtask_; }

 private:
  // Called once, before the first record or checkpoint: removes what attempts before this one left
  // and did not commit. `restored`: this attempt goes on from a checkpoint.
  virtual Status begin(bool restored) = 0;

  // Makes what was written since the last call durable where no reader sees it; false if that is
  // nothing.
  virtual Result<bool> stage(const Transaction& transaction) = 0;

  // Shows it. Changes nothing if that was done before.
  virtual Status publish(const Transaction& transaction) = 0;

  // Whether what an attempt before this one prepared was shown and has been taken away since.
  virtual bool was_taken_away(const Transaction&) { return false; }

  Status begin_once();

  std::uint32_t subtask_ = 0;
  bool begun_ = false;
  bool restored_ = false;
  std::vector<Transaction> prepared_;  // in the order of their checkpoints ...
  std::size_t from_before_ = 0;        // ... of which so many, the first, were restored
};

}  // namespace millrace::detail
