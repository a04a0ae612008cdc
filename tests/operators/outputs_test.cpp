#include <gtest/gtest.h>

#include "millrace/operators/operator.h"
#include "support/records_as_text.h"

namespace millrace::detail {
namespace {

Outputs two_outputs() {
  std::vector<BatchPtr> batches{make_batch<std::int64_t>(), make_batch<std::string>()};
  return {std::move(batches), {"aside"}};
}

TEST(Outputs, AreFullWhenOneOfThemHasReachedTheLimit) {
  Outputs outputs = two_outputs();
  outputs.set_limit(2);
  EXPECT_TRUE(outputs.empty());
  outputs.get<std::int64_t>(0).push(1);
  outputs.get<std::string>(1).push("a");
  EXPECT_FALSE(outputs.full());
  outputs.get<std::string>(1).push("b");
  EXPECT_TRUE(outputs.full());
  EXPECT_TRUE(outputs.full(outputs.get<std::string>(1)));
  EXPECT_FALSE(outputs.full(outputs.get<std::int64_t>(0)));
  EXPECT_EQ(outputs.records(), 3u);
}

TEST(Outputs, AreFullWhenOneOfThemHoldsTooManyBytes) {
  Outputs outputs = two_outputs();
  outputs.get<std::string>(1).push(std::string(kBatchBytes, 'x'));
  EXPECT_TRUE(outputs.full());
  EXPECT_TRUE(outputs.full(outputs.get<std::string>(1)));
}

TEST(Outputs, LeaveABatchThatSomebodyReadsToThem) {
  Outputs outputs = two_outputs();
  outputs.get<std::string>(1).push("a");
  outputs.get<std::int64_t>(0).push(1);
  const AnyBatch* own = &*outputs.batch(0);
  const BatchPtr held = outputs.batch(1);
  outputs.clear();
  EXPECT_TRUE(outputs.empty());
  EXPECT_EQ(held->size(), 1u);
  EXPECT_NE(&*outputs.batch(1), &*held);
  EXPECT_EQ(&*outputs.batch(0), own) << "a batch that nobody reads is used again";
}

}  // namespace
}  // namespace millrace::detail
