#include "millrace/actors/links/link_load.h"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

TEST(LinkLoad, HasSendersWaitWhereItIsTooMuchAndTellsThemAtHalf) {
  LinkLoad load(100);
  load.add(100);
  EXPECT_FALSE(load.must_wait());
  EXPECT_FALSE(load.relieves());
  load.add(10);
  EXPECT_TRUE(load.must_wait());
  load.take(60);
  load.set_waiting(60);
  EXPECT_FALSE(load.relieves()) << "it only went on to the connection";
  load.set_waiting(0);
  EXPECT_TRUE(load.relieves());
  EXPECT_FALSE(load.relieves()) << "once is enough";
}

TEST(LinkLoad, RelievesNobodyWhereNobodyWaits) {
  LinkLoad load(100);
  load.add(90);
  EXPECT_FALSE(load.must_wait());
  load.take(90);
  EXPECT_FALSE(load.relieves());
}

}  // namespace
}  // namespace millrace::detail
