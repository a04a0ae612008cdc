// event_time() behind an operator that is no source: stamps the records, and makes watermarks in
// place of those that come in, with one generator for each subtask.
#pragma once

#include "millrace/operators/operator.h"
#include "millrace/operators/watermark_generator.h"

namespace millrace::detail {

class EventTimeOperator final : public Operator {
 public:
  explicit EventTimeOperator(EventTime time) : generator_(std::move(time)) {}

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& outputs) override;
  Status flush() override;
  Status snapshot(Snapshot& snapshot) override;
  Status restore(const Snapshot& snapshot) override;

  WatermarkGenerator* watermarks() override { return &generator_; }

 private:
  WatermarkGenerator generator_;
  SplitTime read_;
};

}  // namespace millrace::detail
