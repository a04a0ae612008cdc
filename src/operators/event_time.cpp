#include "millrace/operators/event_time.h"

#include <algorithm>

#include "millrace/state/piece_codec.h"

namespace millrace::detail {

Result<Progress> EventTimeOperator::process(std::uint32_t, Cursor& in, Outputs& outputs) {
  const std::size_t count =
      std::min({in.batch->size() - in.next, WatermarkGenerator::room(read_), outputs.limit()});
  AnyBatch& out = *outputs.batch(0);
  out.append(*in.batch, in.next, in.next + count, !in.shared);
  in.next += count;
  if (generator_.stamp(read_, out)) generator_.advance(generator_.watermark_of(read_));
  return in.done() ? Progress::kDone : Progress::kMore;
}

Status EventTimeOperator::flush() {
  if (!generator_.time().bounded) generator_.advance(generator_.watermark_of(read_));
  return {};
}

Status EventTimeOperator::snapshot(Snapshot& snapshot) {
  Status taken = put_value(snapshot, "read", read_);
  return taken ? generator_.snapshot(snapshot) : taken;
}

// After a change of parallelism the stream's watermark goes on, and the generators begin anew.
Status EventTimeOperator::restore(const Snapshot& snapshot) {
  const StatePiece* const piece = snapshot.find("read");
  if (piece != nullptr && piece->elements.size() == 1) {
    Status decoded = get_value(snapshot, "read", read_);
    if (!decoded) return decoded;
  }
  return generator_.restore(snapshot);
}

}  // namespace millrace::detail
