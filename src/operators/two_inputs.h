// map and flat_map over two connected streams: one function for each of them.
#pragma once

#include "millrace/operators/stateless.h"

namespace millrace::detail {

// Each input is handled as by an operator of its own; both write the same output.
template <class First, class Second>
class TwoInputOperator final : public Operator {
 public:
  TwoInputOperator(First first, Second second)
      : first_(std::move(first)), second_(std::move(second)) {}

  Result<Progress> process(std::uint32_t input, Cursor& in, Outputs& outputs) override {
    return input == 0 ? first_.process(0, in, outputs) : second_.process(0, in, outputs);
  }

 private:
  First first_;
  Second second_;
};

}  // namespace millrace::detail
