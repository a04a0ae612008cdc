// Makes and drives chains for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/operators/chain.h"
#include "support/scripted_outlet.h"

namespace millrace::detail {

// Builds a chain operator by operator; each gives its number.
class ChainPlan {
 public:
  explicit ChainPlan(std::size_t limit = kBatchRecords) : limit_(limit) {}

  // `outputs`: an empty batch for each; `tags` from output 1 on.
  std::size_t add(std::string name, std::unique_ptr<Operator> op, std::vector<BatchPtr> outputs,
                  std::vector<std::string> tags = {}) {
    operators_.push_back(
        {std::move(name), std::move(op), Outputs(std::move(outputs), std::move(tags)), {}});
    operators_.back().outputs.set_limit(limit_);
    return operators_.size() - 1;
  }
  void connect(std::size_t from, std::size_t output, std::size_t to) {
    operators_[from].consumers.push_back({output, to});
  }
  void connect(std::size_t from, std::size_t output, Outlet& to) {
    operators_[from].consumers.push_back({output, &to});
  }
  Chain make() { return Chain(std::move(operators_)); }

 private:
  std::size_t limit_;
  std::vector<ChainOperator> operators_;
};

inline OperatorContext place(std::size_t) {
  OperatorContext context;
  context.subtask = SubtaskIndex(1);
  context.parallelism = 4;
  return context;
}

// Resumes until the element is done.
inline void settle(Chain& chain, Result<Progress> progress) {
  for (int resumes = 0; progress && *progress == Progress::kMore; ++resumes) {
    ASSERT_FALSE(chain.idle());
    ASSERT_LT(resumes, 100'000);
    progress = chain.resume();
  }
  ASSERT_TRUE(progress) << progress.error().message();
  ASSERT_TRUE(chain.idle());
}

template <class T>
void give(Chain& chain, std::vector<T> values, std::uint32_t input = 0) {
  const BatchPtr batch = batch_of(std::move(values));
  Cursor cursor{.batch = &*batch};
  settle(chain, chain.process(input, cursor));
  EXPECT_TRUE(cursor.done());
}

}  // namespace millrace::detail
