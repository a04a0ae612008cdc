// A sink of one's own: open, write a batch at a time, flush when the input runs empty. One that
// must show each record exactly once writes in two phases: prepare() makes what was written durable
// under a name that no reader looks at, and commit() shows it once the checkpoint is complete.
// commit() may be called again after a failure, and must then change nothing more; where what was
// prepared is missing, not_found() ends a job that was told to go on from there, and unavailable()
// has it tried again. After a change of parallelism an instance opened as another subtask commits
// what that one prepared; it has no state. What a sink must remember beside what it writes is
// operator state (operator_list_state.h).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <type_traits>

#include "millrace/operators/task_context.h"
#include "millrace/operators/two_phase_sink.h"
#include "millrace/state/operator_list_state.h"

namespace millrace {

using SinkContext = TaskContext;

template <class T>
class Sink : public detail::OperatorStates {
 public:
  using value_type = T;

  virtual ~Sink() = default;

  virtual Status open(SinkContext&) { return {}; }
  virtual Status write(std::span<const T> values) = 0;
  virtual Status flush() { return {}; }
  virtual Status prepare(CheckpointId) { return {}; }
  virtual Status commit(CheckpointId) { return {}; }
  virtual Status close() { return {}; }
};

}  // namespace millrace

namespace millrace::detail {

template <class F>
class SinkOperator final : public TwoPhaseSink {
  using T = typename F::value_type;

  // Without a commit() of its own a sink shows what it writes at once: nothing is to be remembered.
  static constexpr bool kWritesAtOnce = requires {
    requires std::is_same_v<decltype(&F::commit), Status (Sink<T>::*)(CheckpointId)>;
  };

 public:
  template <class Make>
  explicit SinkOperator(const Make& make)
      : make_([make] { return std::unique_ptr<F>(new F(make())); }), sink_(make()) {}

  Status open(const OperatorContext& context) override {
    context_ = context;
    Status opened = states().check_names();
    if (opened) opened = TwoPhaseSink::open(context);
    return opened ? open(sink_, context) : opened;
  }
  Result<Progress> process(std::uint32_t, Cursor& in, Outputs&) override {
    const auto values = std::as_const(in.as<T>()).values();
    Status written = sink_.F::write(values.subspan(in.next));
    if (!written) return written.error();
    in.next = values.size();
    return Progress::kDone;
  }
  Status flush() override { return sink_.F::flush(); }
  Status close() override { return sink_.F::close(); }

  Status snapshot(Snapshot& snapshot) override {
    Status taken = TwoPhaseSink::snapshot(snapshot);
    return taken ? states().snapshot_states(snapshot) : taken;
  }
  Status restore(const Snapshot& snapshot) override {
    Status restored = TwoPhaseSink::restore(snapshot);
    return restored ? states().restore_states(snapshot) : restored;
  }

 private:
  OperatorStates& states() { return sink_; }

  static Status open(F& sink, const OperatorContext& context) {
    SinkContext place(context);
    return sink.F::open(place);
  }

  Status begin(bool) override { return {}; }
  Result<bool> stage(const Transaction& transaction) override {
    Status prepared = sink_.F::prepare(CheckpointId(transaction.checkpoint));
    if (!prepared) return prepared.error();
    return !kWritesAtOnce;
  }
  Status publish(const Transaction& transaction) override {
    const CheckpointId checkpoint(transaction.checkpoint);
    if (transaction.subtask == subtask()) return sink_.F::commit(checkpoint);
    return publish_for_another(SubtaskIndex(transaction.subtask), checkpoint);
  }

  // The parallelism changed: an instance in the other subtask's place commits what that prepared.
  Status publish_for_another(SubtaskIndex subtask, CheckpointId checkpoint) {
    OperatorContext place = context_;
    place.subtask = subtask;
    const std::unique_ptr<F> other = make_();
    Status status = open(*other, place);
    if (!status) return status;
    status = other->F::commit(checkpoint);
    Status closed = other->F::close();
    return status ? closed : status;
  }

  std::function<std::unique_ptr<F>()> make_;
  OperatorContext context_;
  F sink_;
};

}  // namespace millrace::detail
