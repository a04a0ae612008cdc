#include "millrace/testing/fed_source.h"

#include <algorithm>

#include "millrace/core/codec/codec.h"

namespace millrace::detail {
namespace {

// How far the records were read, as the snapshot has it.
struct Position {
  std::uint64_t next = 0;
  SplitTime read;
};

constexpr std::string_view kPosition = "position";

}  // namespace

Status FedSource::open(const OperatorContext& context) {
  clock_ = context.clock;
  opened_ = clock_->monotonic();
  reads_ = context.subtask == SubtaskIndex(0);
  return {};
}

Result<Poll> FedSource::poll(Outputs& outputs) {
  if (!reads_) return Poll::end();
  const std::chrono::nanoseconds now = clock_->monotonic() - opened_;
  if (next_ < fed_->due.size() && fed_->due[next_] <= now) {
    outputs.batch(0)->append(*fed_->batch, next_, next_ + 1, false);
    ++next_;
  }
  const Poll poll = next_poll(now);
  if (stamp(read_, outputs, poll.kind())) watermarks_->advance(watermarks_->watermark_of(read_));
  return poll;
}

Poll FedSource::next_poll(std::chrono::nanoseconds now) const {
  const bool all_read = next_ == fed_->due.size();
  const std::chrono::nanoseconds due = all_read ? fed_->end : fed_->due[next_];
  if (all_read && due <= now) return Poll::end();
  return Poll::idle_for(std::max(due - now, std::chrono::nanoseconds(0)));
}

Status FedSource::snapshot(Snapshot& snapshot) {
  Result<std::string> bytes = encode_value(Position{next_, read_});
  if (!bytes) return bytes.error();
  snapshot.put(kPosition, *std::move(bytes));
  return watermarks_ ? watermarks_->snapshot(snapshot) : Status();
}

Status FedSource::restore(const Snapshot& snapshot) {
  Result<std::string_view> bytes = snapshot.get(kPosition);
  if (!bytes) return bytes.error();
  Position position;
  Status decoded = decode_value(*bytes, position);
  if (!decoded) return decoded;
  next_ = position.next;
  read_ = position.read;
  return watermarks_ ? watermarks_->restore(snapshot) : Status();
}

}  // namespace millrace::detail
