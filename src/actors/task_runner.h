// What a task does, without the actor around it: takes elements from its input gate, runs them
// through its chain, and writes what comes out to its channels, as far as credit goes. Sources are
// polled instead. The actor feeds it and calls run(), which works for a bounded time and says how
// to go on; everything that leaves goes through the TaskPort.
//
// A checkpoint is taken between two elements, when all that the chain has made is written: at the
// barrier of the gate, or for a source when it is told. Sinks prepare, operators give their
// snapshots, keyed state is frozen, and the barrier goes on to all channels; that needs no credit.
// The acknowledgement follows when the keyed state is written. A task that has finished takes part
// as before, without keyed state, for nothing will ask for it again.
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
#include "millrace/actors/task_metrics.h"
#include "millrace/coordination/job_restore.h"
#include "millrace/operators/chain.h"
#include "millrace/state/checkpoint_metadata.h"
#include "millrace/state/state_environment.h"

namespace millrace::detail {

// How a task reaches the others; implemented by its actor.
class TaskPort {
 public:
  virtual ~TaskPort() = default;

  virtual void send(std::size_t exchange, std::size_t channel, Element element) = 0;
  virtual void return_credit(std::size_t channel, BatchPtr batch, std::size_t bytes) = 0;
  virtual void request_split() = 0;

  virtual void acknowledge(CheckpointId checkpoint, TaskSnapshot snapshot) = 0;
  // Without an error: the task cannot take a checkpoint yet, which is no failure.
  virtual void decline(CheckpointId checkpoint, std::optional<Error> error) = 0;
  // What the keyed state of operator `index` is to call when it is written, on any thread: it leads
  // to TaskRunner::on_written.
  virtual KeyedBackend::Done when_written(CheckpointId checkpoint, std::size_t index) = 0;
};

// What a task begins with.
struct TaskStart {
  std::uint64_t epoch = 0;
  CheckpointMode mode = CheckpointMode::kExactlyOnce;
  StateEnvironment state = {};             // of each operator, but for what that goes on from
  std::optional<CheckpointId> checkpoint;  // that it goes on from
  RestoredTask restored;
};

// What a task must know of a savepoint before its checkpoint comes.
struct SavepointNotice {
  CheckpointId checkpoint;
  std::shared_ptr<CheckpointStore> store;
  bool stops = false;  // sources read no more behind it
};

class TaskRunner {
 public:
  enum class State : std::uint8_t {
    kReady,     // run() again, others first
    kIdle,      // wait for input; a source also until wake_after
    kBlocked,   // wait for credit
    kFinished,  // all was processed and sent; only checkpoints are still to come
  };
  struct Outcome {
    State state;
    std::optional<std::chrono::nanoseconds> wake_after;  // a source has something to do then
  };

  TaskRunner(Chain chain, std::vector<InputChannel> inputs,
             std::vector<std::unique_ptr<ChannelWriter>> writers, TaskPort& port,
             const Clock& clock, TaskMetrics& metrics, TaskStart start = {});

  // Restores and opens the operators, and commits what the sinks had prepared for the checkpoint.
  Status open(const std::function<OperatorContext(std::size_t)>& context_of);

  void on_element(std::size_t channel, Element element);
  void on_credit(std::size_t exchange, std::size_t channel, BatchPtr batch, std::size_t bytes);
  Status on_split(std::optional<std::string> split,  // none: there are no more
                  std::string schema = {});

  // Works for a few batches at most.
  Result<Outcome> run();

  // A source's share of a checkpoint; other tasks wait for the barriers.
  void on_trigger(CheckpointId checkpoint);
  void on_savepoint(SavepointNotice notice) { savepoint_ = std::move(notice); }
  void on_resume() { stopped_.reset(); }
  // The input ends here, as far as a source reads it.
  void on_drain() { draining_ = chain_.source() != nullptr; }
  void on_written(CheckpointId checkpoint, std::size_t index, Result<KeyedSnapshot> keyed);
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
  // A checkpoint that was taken and waits for keyed state to be written.
  struct Taken {
    CheckpointId id;
    TaskSnapshot snapshot;
    std::size_t missing = 0;
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
  Result<bool> step_backends();
  Result<bool> begin_batch(InputGate::Next next);
  void complete_batch();
  Result<State> rest();
  Status flush();
  bool blocked() const;
  template <class Call>
  Status each_sink(Call call);
  Status commit(CheckpointId checkpoint);
  void find_backends();
  Status take(CheckpointId checkpoint);
  Result<TaskSnapshot> snapshot();
  bool is_savepoint(CheckpointId checkpoint) const {
    return savepoint_ && savepoint_->checkpoint == checkpoint;
  }
  void freeze(CheckpointId checkpoint);
  void abandon();
  Status end_trigger();
  void acknowledge_if_written();
  CheckpointName name_of(CheckpointId checkpoint) const { return {checkpoint, start_.epoch}; }
  void account(std::chrono::nanoseconds begin, State state);

  Chain chain_;
  InputGate gate_;
  std::vector<std::unique_ptr<ChannelWriter>> writers_;  // by exchange
  TaskPort& port_;
  const Clock& clock_;
  TaskStart start_;
  std::vector<OperatorContext> places_;                          // by operator
  std::vector<StateEnvironment> environments_;                   // by operator
  std::vector<std::pair<std::size_t, KeyedBackend*>> backends_;  // with their operators

  Phase phase_ = Phase::kRunning;
  std::optional<InputGate::Next> current_;  // the element that the chain is at work on
  Cursor cursor_;
  std::size_t current_bytes_ = 0;
  std::optional<std::chrono::nanoseconds> poll_at_;  // a source that is idle until then
  bool split_requested_ = false;
  IdleTimer idle_timer_;                      // of a source
  std::optional<CheckpointId> triggered_;     // and not taken yet
  std::optional<std::string> after_trigger_;  // what on_split() brought since then ...
  std::string after_trigger_schema_;          // ... with that schema
  bool split_came_ = false;                   // since then
  CheckpointId aborted_{0};                   // the last one
  std::optional<SavepointNotice> savepoint_;  // the last one
  std::optional<CheckpointId> stopped_;       // of a source: behind that savepoint
  bool draining_ = false;
  std::optional<Taken> taken_;
  std::optional<CheckpointId> frozen_;  // keyed state, until that is complete or abandoned
  TaskMetrics& metrics_;
  std::chrono::nanoseconds last_run_;
  std::chrono::nanoseconds flushed_at_;
  State last_state_ = State::kIdle;
};

}  // namespace millrace::detail
