#include "support/output_recorder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "millrace/operators/watermark_generator.h"

namespace millrace::detail {
namespace {

Outputs make_outputs(const std::vector<OutputOf>& described) {
  std::vector<BatchPtr> batches;
  std::vector<std::string> tags;
  for (std::size_t i = 0; i < described.size(); ++i) {
    batches.push_back(described[i].make());
    if (i > 0) tags.push_back(described[i].tag);
  }
  return {std::move(batches), std::move(tags)};
}

}  // namespace

OutputRecorder::OutputRecorder(std::vector<OutputOf> outputs, std::size_t limit)
    : described_(std::move(outputs)),
      outputs_(make_outputs(described_)),
      lines_(described_.size()) {
  outputs_.set_limit(limit);
}

std::size_t OutputRecorder::collect(std::size_t most) {
  const std::size_t records = outputs_.records();
  for (std::size_t i = 0; i < described_.size(); ++i) {
    const AnyBatch& batch = *outputs_.batch(i);
    EXPECT_LE(batch.size(), most) << "output " << i << " goes beyond its bound";
    EXPECT_TRUE(batch.timestamps().empty() || batch.timestamps().size() == batch.size())
        << "output " << i << " has timestamps for some of its records only";
    for (std::string& line : described_[i].lines(batch)) lines_[i].push_back(std::move(line));
  }
  outputs_.clear();
  return records;
}

void OutputRecorder::collect_watermark(Operator& op) {
  WatermarkGenerator* const watermarks = op.watermarks();
  const std::optional<Timestamp> taken = watermarks ? watermarks->take() : std::nullopt;
  if (!taken) return;
  EXPECT_GE(*taken, watermark_) << "the watermark goes back";
  if (*taken <= watermark_) return;
  watermark_ = *taken;
  lines_[0].push_back("w" + std::to_string(taken->time_since_epoch().count()));
}

std::vector<Lines> OutputRecorder::sorted_lines() const {
  std::vector<Lines> sorted = lines_;
  for (Lines& lines : sorted) std::ranges::sort(lines);
  return sorted;
}

}  // namespace millrace::detail
