#include "millrace/operators/watermark_generator.h"

#include <algorithm>

#include "millrace/state/piece_codec.h"

namespace millrace::detail {
namespace {

// No user's state is called so.
constexpr std::string_view kPiece = ".watermark";

}  // namespace

bool WatermarkGenerator::stamp(SplitTime& split, AnyBatch& batch) {
  if (batch.empty()) return false;
  split.latest = std::max(split.latest, time_.stamp(batch));
  const std::uint64_t before = std::exchange(split.records, split.records + batch.size());
  if (std::exchange(idle_, false)) return pending_ = true;
  return before / kWatermarkInterval != split.records / kWatermarkInterval;
}

Timestamp WatermarkGenerator::watermark_of(const SplitTime& split) const {
  const Duration behind = time_.strategy.bound();
  if (split.latest <= kMinTimestamp + behind) return kMinTimestamp;
  return split.latest - behind - Duration(1);
}

void WatermarkGenerator::advance(Timestamp watermark) {
  if (watermark <= current_) return;
  current_ = watermark;
  pending_ = true;
}

std::optional<Timestamp> WatermarkGenerator::take() {
  if (!std::exchange(pending_, false)) return std::nullopt;
  return current_;
}

Status WatermarkGenerator::snapshot(Snapshot& snapshot) const {
  StatePiece piece{.redistribution = Redistribution::kUnion};
  Status added = add_element(piece, current_);
  if (added) snapshot.put(kPiece, std::move(piece));
  return added;
}

Status WatermarkGenerator::restore(const Snapshot& snapshot) {
  const StatePiece* const piece = snapshot.find(kPiece);
  if (piece == nullptr) return {};  // the stream had no event time
  Timestamp least = kMaxTimestamp;
  for (const std::string& bytes : piece->elements) {
    Timestamp watermark{};
    Status decoded = decode_element(bytes, piece->schema, watermark);
    if (!decoded) return decoded.error().with_context("the watermark of a stream");
    least = std::min(least, watermark);
  }
  if (!piece->elements.empty()) advance(least);
  return {};
}

}  // namespace millrace::detail
