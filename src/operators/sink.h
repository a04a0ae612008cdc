// A sink of one's own: open, write a batch at a time, flush when the input runs empty. One that
// must show each record exactly once writes in two phases: prepare() makes what was written durable
// under a name that no reader looks at, and commit() shows it once the checkpoint is complete.
// commit() may be called again after a failure, and must then change nothing more.
#pragma once

#include <span>

#include "millrace/operators/any_sink.h"
#include "millrace/operators/task_context.h"

namespace millrace {

using SinkContext = TaskContext;

template <class T>
class Sink {
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
class SinkOperator final : public AnySink {
 public:
  template <class Make>
  explicit SinkOperator(const Make& make) : sink_(make()) {}

  Status open(const OperatorContext& context) override {
    SinkContext place(context);
    return sink_.F::open(place);
  }
  Result<Progress> process(std::uint32_t, Cursor& in, Outputs&) override {
    const auto values = std::as_const(in.as<typename F::value_type>()).values();
    Status written = sink_.F::write(values.subspan(in.next));
    if (!written) return written.error();
    in.next = values.size();
    return Progress::kDone;
  }
  Status flush() override { return sink_.F::flush(); }
  Status prepare(CheckpointId checkpoint) override { return sink_.F::prepare(checkpoint); }
  Status commit(CheckpointId checkpoint) override { return sink_.F::commit(checkpoint); }
  Status close() override { return sink_.F::close(); }

 private:
  F sink_;
};

}  // namespace millrace::detail
