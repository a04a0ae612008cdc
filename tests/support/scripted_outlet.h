// An outlet that writes down what leaves a chain, is not ready as often as it is told to, and
// treats what it is given as badly as it may: it takes batches and records that are not shared.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/operators/chain.h"
#include "support/records_as_text.h"

namespace millrace::detail {

class ScriptedOutlet : public Outlet {
 public:
  // Before each batch it is not ready `refusals` times.
  void set_refusals(int refusals) { refusals_ = left_ = refusals; }

  // Records, "watermark N", "idle" and "end", in the order in which they came.
  const Lines& events() const { return events_; }
  std::size_t batches() const { return batches_; }
  bool ever_shared() const { return ever_shared_; }

  bool ready() const override { return left_ == 0 || left_-- == 0; }
  void watermark(Timestamp watermark) override {
    events_.push_back("watermark " + std::to_string(watermark.time_since_epoch().count()));
  }
  void mark_idle() override { events_.push_back("idle"); }
  void finish() override { events_.push_back("end"); }

 protected:
  void note(Lines lines, bool shared) {
    EXPECT_EQ(left_, 0) << "the outlet was not asked whether it is ready";
    EXPECT_FALSE(lines.empty()) << "an empty batch was written";
    for (std::string& line : lines) events_.push_back(std::move(line));
    left_ = refusals_;
    ++batches_;
    ever_shared_ = ever_shared_ || shared;
  }

  Lines events_;
  std::size_t batches_ = 0;
  bool ever_shared_ = false;
  int refusals_ = 0;
  mutable int left_ = 0;
};

template <class T>
class OutletOf final : public ScriptedOutlet {
 public:
  void write(BatchPtr& batch, bool shared) override {
    note(lines_of<T>(*batch), shared);
    if (shared) return;
    if (batches_ % 2 == 0) {
      std::exchange(batch, batch->make_empty());
    } else {
      make_batch<T>()->append(*batch, 0, batch->size(), true);
    }
  }
};

}  // namespace millrace::detail
