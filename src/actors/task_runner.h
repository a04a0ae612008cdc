// What a task does, without the actor around it: takes elements from its input gate, runs them
// through its chain, and writes what comes out to its channels, as far as credit goes. Sources are
// polled instead. The actor feeds it and calls run(), which works for a bounded time and says how
// to go on; everything that leaves goes through the TaskPort.
//
// A checkpoint (task_checkpoints.h) is taken between two elements, when all that the chain has made
// is written: at the barrier of the gate, for a source when it is told, and where a barrier waits
// too long before its turn. A task that has finished takes part as before.
//
// While keyed state has no memory left for what the writer has not written yet, the task begins
// nothing new and looks again after a moment; that depends on nobody but the writer.
//
// One thread at a time. All time comes from the injected clock.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/actors/channel_writer.h"
#include "millrace/actors/idle_timer.h"
#include "millrace/actors/input_gate.h"
#include "millrace/actors/task_checkpoints.h"
#include "millrace/actors/task_metrics.h"
#include "millrace/actors/task_port.h"
#include "millrace/actors/task_start.h"
#include "millrace/operators/chain.h"

namespace millrace::detail {

class TaskRunner {
 public:
  enum class State : std::uint8_t {
    kReady,     // run() again, others first
    kIdle,      // wait for input, or until wake_after
    kBlocked,   // wait for credit or the writer of keyed state, or until wake_after
    kFinished,  // all was processed and sent; only checkpoints are still to come
  };
  struct Outcome {
    State state;
    std::optional<std::chrono::nanoseconds> wake_after;  // there may be something to do then
  };

  TaskRunner(Chain chain, std::vector<InputChannel> inputs,
             std::vector<std::unique_ptr<ChannelWriter>> writers, TaskPort& port,
             const Clock& clock, TaskMetrics& metrics, TaskStart start = {});

  // Restores and opens the operators, and commits what the sinks had prepared for the checkpoint.
  Status open(const std::function<OperatorContext(std::size_t)>& context_of);
  // All of the region are open: sends what was in flight when the checkpoint was taken.
  void start();

  void on_element(std::size_t channel, Element element);
  void on_credit(std::size_t exchange, std::size_t channel, BatchPtr batch, std::size_t bytes);
  // Nothing more can be sent there for now, or that is over.
  void hold(std::size_t exchange, std::size_t channel, bool held);
  Status on_split(std::optional<std::string> split,  // none: there are no more
                  std::string schema = {});

  // Works for a few batches at most.
  Result<Outcome> run();

  // A source's share of a checkpoint; other tasks wait for the barriers.
  Status on_trigger(const Barrier& barrier);
  void on_resume() { stopped_.reset(); }
  // The input ends here, as far as a source reads it.
  void on_drain() { draining_ = chain_.source() != nullptr; }
  void on_written(CheckpointId checkpoint, std::size_t index, Result<KeyedSnapshot> keyed);
  void on_stored(CheckpointId checkpoint, Result<StoredFile> in_flight);
  // The checkpoint is complete: what was prepared up to it is to be shown.
  Status on_complete(CheckpointId checkpoint);
  // The checkpoint will not complete.
  Status on_abort(CheckpointId checkpoint);

  Status close();

 private:
  enum class Phase : std::uint8_t {
    kRunning,
    kEnding,     // the input ended: the last watermark is due
    kFinishing,  // operators emit what they held back
    kFinished,
    kEndingAgain,  // it had finished when the checkpoint was taken that it goes on from
  };
  Result<State> work();
  // Does the next piece of work; false if there is none, or no credit for it.
  Result<bool> step();
  Result<bool> step_input();
  Result<bool> step_source();
  Result<bool> poll_source();
  Result<bool> mark_if_idle();
  Result<bool> handle_time(const Element& element);
  Result<bool> step_phase();
  Result<bool> step_finished();
  Result<bool> begin_batch(InputGate::Next next);
  void complete_batch();
  Result<State> rest();
  Status flush();
  bool blocked() const;
  bool needs_backends() const;
  bool congested() const;
  const Barrier* next_barrier() const;
  void hurry();
  std::optional<std::chrono::nanoseconds> barrier_due() const;
  Result<bool> take_due();
  Status end_trigger();
  void account(std::chrono::nanoseconds begin, State state);

  Chain chain_;
  InputGate gate_;
  std::vector<std::unique_ptr<ChannelWriter>> writers_;  // by exchange
  TaskPort& port_;
  const Clock& clock_;
  TaskStart start_;
  std::vector<StateEnvironment> environments_;  // by operator
  TaskCheckpoints checkpoints_;

  Phase phase_ = Phase::kRunning;
  std::optional<InputGate::Next> current_;  // the element that the chain is at work on
  Cursor cursor_;
  std::size_t current_bytes_ = 0;
  std::optional<std::chrono::nanoseconds> poll_at_;  // a source that is idle until then
  bool split_requested_ = false;
  IdleTimer idle_timer_;                      // of a source
  std::optional<Barrier> due_;                // to be taken as soon as the chain is idle
  std::optional<std::string> after_trigger_;  // what on_split() brought since then, to a source ...
  std::string after_trigger_schema_;          // ... with that schema
  bool split_came_ = false;                   // since then
  bool hurries_ = false;                      // to where it can take it: credit may be overdrawn
  CheckpointId aborted_{0};                   // the last one
  std::optional<CheckpointId> stopped_;       // of a source: behind that savepoint
  bool draining_ = false;
  TaskMetrics& metrics_;
  std::chrono::nanoseconds last_run_;
  std::chrono::nanoseconds flushed_at_;
  State last_state_ = State::kIdle;
};

}  // namespace millrace::detail
