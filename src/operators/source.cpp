#include "millrace/operators/source.h"

namespace millrace::detail {

std::size_t AnySource::limit(const SplitTime& split, const Outputs& outputs) const {
  if (!watermarks_) return outputs.limit();
  const std::size_t room = WatermarkGenerator::room(split);
  const std::size_t polls = (room + outputs.limit() - 1) / outputs.limit();
  return (room + polls - 1) / polls;  // as even as possible: no small batch before the watermark
}

bool AnySource::stamp(SplitTime& split, Outputs& outputs, Poll::Kind end) {
  if (!watermarks_) return false;
  const bool due = watermarks_->stamp(split, *outputs.batch(0));
  if (end == Poll::Kind::kIdle) return due || !watermarks_->time().bounded;
  return due || end == Poll::Kind::kEnd;
}

}  // namespace millrace::detail
