// What a task does, without the actor around it: takes elements from its input gate, runs them
// through its chain, and writes what comes out to its channels, as far as credit goes. Sources are
// polled instead. The actor feeds it and calls run(), which works for a bounded time and says how
// to go on; everything that leaves goes through the TaskPort.
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
#include "millrace/operators/chain.h"

namespace millrace::detail {

// How a task reaches the others; implemented by its actor.
class TaskPort {
 public:
  virtual ~TaskPort() = default;

  virtual void send(std::size_t exchange, std::size_t channel, Element element) = 0;
  virtual void return_credit(std::size_t channel, BatchPtr batch, std::size_t bytes) = 0;
  virtual void request_split() = 0;
};

class TaskRunner {
 public:
  enum class State : std::uint8_t {
    kReady,     // run() again, others first
    kIdle,      // wait for input; a source also until wake_after
    kBlocked,   // wait for credit
    kFinished,  // all was processed and sent
  };
  struct Outcome {
    State state;
    std::optional<std::chrono::nanoseconds> wake_after;  // a source has something to do then
  };

  TaskRunner(Chain chain, std::vector<InputChannel> inputs,
             std::vector<std::unique_ptr<ChannelWriter>> writers, TaskPort& port,
             const Clock& clock, TaskMetrics& metrics);

  Status open(const std::function<OperatorContext(std::size_t)>& context_of);

  void on_element(std::size_t channel, Element element);
  void on_credit(std::size_t exchange, std::size_t channel, BatchPtr batch, std::size_t bytes);
  Status on_split(std::string_view split);
  void on_no_more_splits();

  // Works for a few batches at most.
  Result<Outcome> run();

  // After kFinished and once the job's other tasks have finished too.
  Status commit();
  Status close();

 private:
  enum class Phase : std::uint8_t {
    kRunning,
    kEnding,     // the input ended: the last watermark is due
    kFinishing,  // operators emit what they held back
    kDraining,   // the outputs wait for credit
    kFinished,
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
  Result<bool> begin_batch(InputGate::Next next);
  void complete_batch();
  Result<State> rest();
  Status flush();
  bool blocked() const;
  template <class Call>
  Status each_sink(Call call);
  Status prepare_sinks();
  void account(std::chrono::nanoseconds begin, State state);

  Chain chain_;
  InputGate gate_;
  std::vector<std::unique_ptr<ChannelWriter>> writers_;  // by exchange
  TaskPort& port_;
  const Clock& clock_;

  Phase phase_ = Phase::kRunning;
  std::optional<InputGate::Next> current_;  // the element that the chain is at work on
  Cursor cursor_;
  std::size_t current_bytes_ = 0;
  std::optional<std::chrono::nanoseconds> poll_at_;  // a source that is idle until then
  bool split_requested_ = false;
  IdleTimer idle_timer_;  // of a source
  TaskMetrics& metrics_;
  std::chrono::nanoseconds last_run_;
  std::chrono::nanoseconds flushed_at_;
  State last_state_ = State::kIdle;
};

}  // namespace millrace::detail
