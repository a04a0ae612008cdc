// An operator with all that the contract allows: it holds back what it takes, and gives as much of
// it as the outputs hold, at a watermark, at a timer and at the end.
#pragma once

#include <string>
#include <vector>

#include "millrace/core/codec/codec.h"
#include "millrace/operators/operator.h"

namespace millrace::detail {

class BufferingOperator : public Operator {
 public:
  Result<Progress> process(std::uint32_t, Cursor& in, Outputs&) override {
    for (; !in.done(); ++in.next) held_.push_back(in.as<std::string>().values()[in.next]);
    return Progress::kDone;
  }
  Result<Progress> on_watermark(Timestamp, Outputs& out) override { return give("w", out); }
  Result<Progress> on_timer(Timestamp, Outputs& out) override { return give("t", out); }
  Result<Progress> finish(Outputs& out) override { return give("f", out); }

  Status snapshot(Snapshot& snapshot) override {
    Result<std::string> bytes = encode_value(held_);
    if (!bytes) return bytes.error();
    snapshot.put("held", *std::move(bytes));
    return {};
  }
  Status restore(const Snapshot& snapshot) override {
    Result<std::string_view> bytes = snapshot.get("held");
    return bytes ? decode_value(*bytes, held_) : bytes.error();
  }

 protected:
  Progress give(const char* why, Outputs& outputs) {
    auto& out = outputs.get<std::string>(0);
    while (!held_.empty() && !outputs.full(out)) {
      out.push(why + held_.front());
      held_.erase(held_.begin());
    }
    return held_.empty() ? Progress::kDone : Progress::kMore;
  }

  std::vector<std::string> held_;
};

}  // namespace millrace::detail
