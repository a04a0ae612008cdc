#include "millrace/testing/harness.h"

#include "millrace/state/snapshot.h"
#include "millrace/testing/or_throw.h"

namespace millrace::detail {

HarnessOperator::HarnessOperator(std::function<std::unique_ptr<Operator>()> make, BatchPtr output)
    : make_(std::move(make)), outputs_({output->make_empty()}, {}), taken_{std::move(output)} {
  outputs_.keep_unread();
  open();
}

void HarnessOperator::open(const Snapshot* restored) {
  operator_ = make_();
  if (restored) throw_if_failed(operator_->restore(*restored));
  OperatorContext context;
  context.name = "under test";
  context.clock = &clock_;
  context.state = &keyed_.get();
  throw_if_failed(operator_->open(context));
}

// Calls again as long as there is more, taking the records away in between.
template <class Call>
void HarnessOperator::drive(Call call) {
  Progress progress = Progress::kMore;
  while (progress == Progress::kMore) {
    progress = value_or_throw<Progress>(call());
    for (std::size_t i = 0; i < outputs_.count(); ++i) {
      AnyBatch& from = *outputs_.batch(i);
      if (i == taken_.size()) taken_.push_back(from.make_empty());
      taken_[i]->append(from, 0, from.size(), true);
    }
    outputs_.clear();
  }
}

void HarnessOperator::process(std::uint32_t input, BatchPtr batch) {
  Cursor cursor{.batch = &*batch};
  drive([&] { return operator_->process(input, cursor, outputs_); });
}

void HarnessOperator::advance_watermark(Timestamp watermark) {
  drive([&] { return operator_->on_watermark(watermark, outputs_); });
}

void HarnessOperator::snapshot_and_restore() {
  Snapshot snapshot;
  throw_if_failed(operator_->snapshot(snapshot));
  throw_if_failed(keyed_.take(operator_->keyed_backend()));
  open(&snapshot);
}

AnyBatch* HarnessOperator::side_output(std::string_view tag) {
  for (std::size_t i = 1; i < taken_.size(); ++i) {
    if (outputs_.tags()[i - 1] == tag) return &*taken_[i];
  }
  return nullptr;
}

}  // namespace millrace::detail
