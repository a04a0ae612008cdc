#include "millrace/connectors/two_phase_sink.h"

#include "millrace/core/codec/codec.h"

namespace millrace::detail {

Status TwoPhaseSink::open(const OperatorContext& context) {
  subtask_ = context.subtask.value();
  return {};
}

Status TwoPhaseSink::begin_once() {
  Status status = begin(restored_);
  begun_ = status.has_value();
  return status;
}

Status TwoPhaseSink::prepare(CheckpointId checkpoint) {
  Status begun = ready();
  if (!begun) return begun;
  const Transaction transaction{.subtask = subtask_, .checkpoint = checkpoint.value()};
  Result<bool> staged = stage(transaction);
  if (!staged) return staged.error();
  if (*staged) prepared_.push_back(transaction);
  return {};
}

Status TwoPhaseSink::commit(CheckpointId checkpoint) {
  auto next = prepared_.begin();
  Status status;
  for (; next != prepared_.end() && next->checkpoint <= checkpoint.value(); ++next) {
    status = publish(*next);
    if (!status) break;
  }
  prepared_.erase(prepared_.begin(), next);
  return status;
}

Status TwoPhaseSink::snapshot(Snapshot& snapshot) {
  Result<std::string> bytes = encode_value(prepared_);
  if (!bytes) return bytes.error();
  snapshot.put("prepared", *std::move(bytes));
  return {};
}

Status TwoPhaseSink::restore(const Snapshot& snapshot) {
  Result<std::string_view> bytes = snapshot.get("prepared");
  if (!bytes) return bytes.error();
  restored_ = true;
  Status status = decode_value(*bytes, prepared_);
  if (!status) return status;
  for (const Transaction& transaction : prepared_) {
    status = publish(transaction);
    if (!status) return status;
  }
  prepared_.clear();
  return {};
}

}  // namespace millrace::detail
