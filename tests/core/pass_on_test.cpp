#include "millrace/core/records/pass_on.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace millrace::detail {
namespace {

struct Inner {
  std::string text;
};
struct Outer {
  std::int64_t number = 0;
  Inner inner;
  std::vector<std::int64_t> list;
};

TEST(PassOn, CopiesAShortTextIntoTheBufferThatIsThere) {
  Outer from{1, {"thirty-six bytes that need the heap!"}, {}};
  Outer to{2, {std::string(40, ' ')}, {}};
  const char* const theirs = from.inner.text.data();
  const char* const ours = to.inner.text.data();
  pass_on(from, to);
  EXPECT_EQ(to.number, 1);
  EXPECT_EQ(to.inner.text, "thirty-six bytes that need the heap!");
  EXPECT_EQ(to.inner.text.data(), ours);
  EXPECT_EQ(from.inner.text.data(), theirs);
}

TEST(PassOn, MovesALongTextAndWhatElseHasAHeap) {
  Outer from{1, {std::string(10'000, 'x')}, {1, 2, 3}};
  Outer to;
  const char* const text = from.inner.text.data();
  const std::int64_t* const list = from.list.data();
  pass_on(from, to);
  EXPECT_EQ(to.inner.text.data(), text);
  EXPECT_EQ(to.list.data(), list);
}

TEST(PassOn, MovesWhatCannotBeCopied) {
  auto from = std::make_unique<int>(7);
  std::unique_ptr<int> to;
  pass_on(from, to);
  EXPECT_EQ(*to, 7);
}

}  // namespace
}  // namespace millrace::detail
