#include "millrace/operators/two_phase_sink.h"

#include <algorithm>
#include <string_view>

#include "millrace/core/failpoint.h"
#include "millrace/core/mutant.h"
#include "millrace/state/piece_codec.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kPrepared = ".prepared";  // no user's state is called so

}  // namespace

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
  if (*staged) pass(FailPoint::kSinkPrepared);
  return {};
}

Status TwoPhaseSink::commit(CheckpointId checkpoint) {
  while (!prepared_.empty() && prepared_.front().checkpoint <= checkpoint.value()) {
    const bool gone = from_before_ > 0 && was_taken_away(prepared_.front());
    Status shown = gone ? Status() : publish(prepared_.front());
    if (!shown) return shown;
    pass(FailPoint::kSinkCommitted);
    prepared_.erase(prepared_.begin());
    if (from_before_ > 0) --from_before_;
  }
  return {};
}

Status TwoPhaseSink::snapshot(Snapshot& snapshot) {
  StatePiece piece;
  for (const Transaction& transaction : prepared_) {
    Status added = add_element(piece, transaction);
    if (!added) return added;
  }
  snapshot.put(kPrepared, std::move(piece));
  return {};
}

Status TwoPhaseSink::restore(const Snapshot& snapshot) {
  restored_ = true;
  const StatePiece* piece = snapshot.find(kPrepared);
  if (piece == nullptr) return {};
  for (const std::string& bytes : piece->elements) {
    Status decoded = decode_element(bytes, piece->schema, prepared_.emplace_back());
    if (!decoded) return decoded;
  }
  if (is_mutant(Mutant::kForgetCommittable) && !prepared_.empty()) prepared_.pop_back();
  std::ranges::stable_sort(prepared_, {}, &Transaction::checkpoint);
  from_before_ = prepared_.size();
  return {};
}

}  // namespace millrace::detail
