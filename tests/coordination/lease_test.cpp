#include "millrace/coordination/lease.h"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

TEST(Lease, IsOverBeforeTheFirstAnswer) {
  const Lease lease;
  EXPECT_FALSE(lease.begun());
  EXPECT_TRUE(lease.over(0s));
  EXPECT_EQ(lease.left(0s), 0s);
}

TEST(Lease, LastsForTheTimeoutFromWhenTheRequestWasSent) {
  Lease lease;
  lease.renew(5s, 2s);
  EXPECT_FALSE(lease.over(7s - 1ns));
  EXPECT_EQ(lease.left(6s), 1s);
  EXPECT_TRUE(lease.over(7s));
  EXPECT_EQ(lease.left(8s), 0s);
}

TEST(Lease, IsNotShortenedByAnAnswerThatWasOvertaken) {
  Lease lease;
  lease.renew(5s, 2s);
  lease.renew(4s, 2s);
  EXPECT_FALSE(lease.over(7s - 1ns));
}

}  // namespace
}  // namespace millrace::detail
