// A task's share of checkpoints: takes it between two elements, has what was taken written while
// the stream goes on, and acknowledges when all is.
//
//   take       sinks prepare, operators give their snapshots, keyed state is frozen, and the
//              barrier goes to all channels; a barrier that has waited too long overtakes what is
//              before it, which is recorded
//   wait for   keyed state to be written; the barrier from channels where it was overtaking; the
//              barrier to be sent, where it still may overtake; the records in flight to be stored
//   then       acknowledge
//
// A failure up to the freeze fails the task, for the operators are then of unknown state. One after
// it declines the checkpoint, and the next one has what this one had.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "millrace/actors/channel_writer.h"
#include "millrace/actors/in_flight.h"
#include "millrace/actors/input_gate.h"
#include "millrace/actors/task_metrics.h"
#include "millrace/actors/task_port.h"
#include "millrace/actors/task_start.h"
#include "millrace/operators/any_sink.h"
#include "millrace/operators/chain.h"

namespace millrace::detail {

class TaskCheckpoints {
 public:
  using Writers = std::vector<std::unique_ptr<ChannelWriter>>;

  // What it refers to belongs to the task.
  TaskCheckpoints(Chain& chain, InputGate& gate, Writers& writers, TaskPort& port,
                  const TaskStart& start);

  // The chain is open; the places of its operators.
  void begin(std::vector<OperatorContext> places);
  // Brings back the records in flight of the checkpoint that the task goes on from.
  Status restore_in_flight(const StoredFile& file);

  // The chain is idle, and flushed.
  Status take(const Barrier& barrier, bool finished);

  // Writes some of what is frozen; false if there is nothing to do.
  Result<bool> work();
  // Keyed state takes no further changes until the writer has caught up.
  bool congested() const;
  // Brings the metrics of keyed state up to date.
  void report(TaskMetrics& metrics) const;
  // Keyed state is part of a checkpoint that is not complete.
  bool frozen() const { return frozen_.has_value(); }
  // Whether a barrier can overtake: records have a binary form, and the checkpoint a store.
  bool may_overtake() const { return may_overtake_; }
  // A checkpoint was taken, and waits for something.
  bool waits() const { return taken_.has_value(); }
  // When the barrier that waits to be sent overtakes what it waits for.
  Timestamp overtakes_at() const;
  // What was waited for may have come, or the time to overtake.
  void on_time(Timestamp now);

  void on_written(CheckpointId checkpoint, std::size_t index, Result<KeyedSnapshot> keyed);
  void on_stored(CheckpointId checkpoint, Result<StoredFile> file);
  Status on_complete(CheckpointId checkpoint);
  void on_abort(CheckpointId checkpoint);
  Status commit(CheckpointId checkpoint);

 private:
  struct Taken {
    Barrier barrier;
    TaskSnapshot snapshot;
    std::size_t unwritten = 0;  // operators with keyed state
    InFlightWriter in_flight;
    bool storing = false;
  };

  template <class Call>
  Status each_sink(Call call);
  Result<TaskSnapshot> snapshot(bool finished);
  void note_completed(CheckpointId checkpoint);
  void leave_out(CheckpointId checkpoint);
  void freeze(const Barrier& barrier);
  std::shared_ptr<CheckpointStore> store_for_rows(const Barrier& barrier) const;
  void overtake_inputs();
  void overtake_outputs();
  void record(const InFlightPlace& place, const Element& element, const ChannelRecords& records);
  bool barrier_may_overtake() const;
  void acknowledge_if_complete();
  void store_in_flight();
  void decline(const Error& error);
  void abandon();
  CheckpointName name_of(CheckpointId checkpoint) const { return {checkpoint, start_.epoch}; }

  Chain& chain_;
  InputGate& gate_;
  Writers& writers_;
  TaskPort& port_;
  const TaskStart& start_;
  std::vector<OperatorContext> places_;                          // by operator
  std::vector<std::pair<std::size_t, KeyedBackend*>> backends_;  // with their operators

  bool may_overtake_ = false;
  std::optional<Taken> taken_;          // and not acknowledged yet
  std::optional<CheckpointId> frozen_;  // keyed state, until that is complete or abandoned
  CheckpointId completed_{0};           // the newest that the task has heard of
};

}  // namespace millrace::detail
