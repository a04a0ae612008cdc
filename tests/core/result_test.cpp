#include "millrace/core/result.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return invalid_argument("the number is odd");
  return number / 2;
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(*half(4), 2);
  EXPECT_EQ(half(3).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(half(3).value_or(7), 7);
}

TEST(Result, HoldsAMoveOnlyValue) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 3);
}

TEST(Status, IsWellUnlessItHoldsAnError) {
  Status status;
  EXPECT_TRUE(status);
  status = unavailable("no answer");
  EXPECT_FALSE(status);
  Status copy = status;
  EXPECT_EQ(copy.error(), status.error());
}

TEST(Error, PutsContextBeforeTheMessage) {
  const Error error = not_found("no file 'a.csv'").with_context("operator 'payments'");
  EXPECT_EQ(error.message(), "operator 'payments': no file 'a.csv'");
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
}

TEST(ResultDeathTest, StopsWhereAFailedResultIsRead) {
  EXPECT_DEATH((void)half(3).value(), "the value of a failed Result was read");
}

}  // namespace
}  // namespace millrace
