#include "millrace/state/snapshot.h"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

TEST(Snapshot, GivesBackWhatWasPutLast) {
  Snapshot snapshot;
  snapshot.put("a", std::string("1\0 2", 4));
  snapshot.put("b", "");
  snapshot.put("a", std::string("3\0 4", 4));
  EXPECT_EQ(*snapshot.get("a"), std::string_view("3\0 4", 4));
  EXPECT_EQ(*snapshot.get("b"), "");
}

TEST(Snapshot, NamesThePieceThatItLacks) {
  EXPECT_EQ(Snapshot().get("position").error(),
            not_found("the snapshot holds no piece 'position' of one element"));
}

}  // namespace
}  // namespace millrace::detail
