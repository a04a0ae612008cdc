#include "millrace/core/records/footprint.h"

#include <gtest/gtest.h>

#include <map>

namespace millrace::detail {

struct FootprintOfParts {
  int number = 0;
  std::string text;
  std::vector<std::string> list;
};

namespace {

TEST(Footprint, CountsWhatLiesOutsideARecord) {
  EXPECT_EQ(heap_footprint(7), 0u);
  EXPECT_EQ(heap_footprint(std::string("abc")), 3u);
  EXPECT_EQ(heap_footprint(std::vector<std::int64_t>{1, 2}), 16u);
  EXPECT_EQ(heap_footprint(std::vector<std::string>{"ab", "c"}), 2 * sizeof(std::string) + 3);
  EXPECT_EQ(heap_footprint(std::array<std::string, 2>{"ab", "c"}), 3u);
  EXPECT_EQ(heap_footprint(std::optional<std::string>("ab")), 2u);
  EXPECT_EQ(heap_footprint(std::optional<std::string>()), 0u);
  EXPECT_EQ(heap_footprint(std::variant<int, std::string>("ab")), 2u);
  EXPECT_EQ(heap_footprint(std::unique_ptr<std::string>()), 0u);
  EXPECT_EQ(heap_footprint(std::make_unique<std::string>("ab")), sizeof(std::string) + 2);
  EXPECT_EQ(heap_footprint(std::map<std::string, int>{{"ab", 1}}),
            sizeof(std::pair<const std::string, int>) + 2);
  EXPECT_EQ(heap_footprint(FootprintOfParts{1, "ab", {"c"}}), 2 + sizeof(std::string) + 1);
}

TEST(Footprint, CountsBuffersInFullWhereTheyAreKept) {
  const auto reserved = [](const auto& value) {
    return heap_footprint<HeapBytes::kReserved>(value);
  };
  EXPECT_EQ(reserved(std::string("in place")), 0u);
  std::string text(1'000, 'x');
  text.clear();
  EXPECT_EQ(reserved(text), 1'000u);
  std::vector<std::int64_t> list(100);
  list.resize(3);
  EXPECT_EQ(reserved(list), 800u);
  EXPECT_EQ(reserved(std::vector<std::string>(2, text)), 2 * sizeof(std::string));
  FootprintOfParts parts;
  parts.text.reserve(500);
  EXPECT_EQ(reserved(parts), 500u);
}

}  // namespace
}  // namespace millrace::detail
