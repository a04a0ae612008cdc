#include "millrace/operators/partitioner.h"

namespace millrace::detail {

void RoundRobin::scatter(AnyBatch& batch, bool take, std::span<BatchPtr> channels) {
  const std::size_t count = channels.size();
  const std::size_t each = batch.size() / count;
  const std::size_t more = batch.size() % count;  // this many slices are longer by one record
  std::size_t row = 0;
  for (std::size_t slice = 0; slice < count && row < batch.size(); ++slice) {
    const std::size_t end = row + each + (slice < more ? 1 : 0);
    channels[(next_ + slice) % count]->append(batch, row, end, take);
    row = end;
  }
  next_ = static_cast<std::uint32_t>((next_ + more) % count);
}

}  // namespace millrace::detail
