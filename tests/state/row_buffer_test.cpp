#include "millrace/state/row_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/random.h"

namespace millrace::detail {
namespace {

TEST(RowBuffer, GivesTheLastChangeOfEachRowInTheOrderOfTheirKeys) {
  Random random(1);
  RowBuffer rows;
  std::map<std::string, std::optional<std::string>> model;
  for (int i = 0; i < 5'000; ++i) {
    std::string key(random.below(12), 'k');
    for (char& c : key) c = static_cast<char>(random.below(4) * 80);
    if (random.chance(0.3)) {
      rows.remove(key);
      model[key] = std::nullopt;
    } else {
      rows.put(key, std::to_string(i));
      model[key] = std::to_string(i);
    }
  }
  const std::vector<StateRow> sorted = rows.sorted();
  ASSERT_EQ(sorted.size(), model.size());
  std::size_t next = 0;
  for (const auto& [key, value] : model) {
    EXPECT_EQ(sorted[next].key, key);
    EXPECT_EQ(sorted[next].value, value);
    const std::optional<StateRow> found = rows.find(key);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->value, value);
    ++next;
  }
  EXPECT_FALSE(rows.find("another key"));
}

TEST(RowBuffer, FindsOnlyWhatIsToBeFound) {
  RowBuffer rows;
  rows.put("a", "1", RowBuffer::Find::kNo);
  EXPECT_FALSE(rows.find("a"));
  rows.put("b", "2");
  EXPECT_TRUE(rows.find("b"));
  EXPECT_FALSE(rows.find("a"));
  EXPECT_EQ(rows.rows(), 2u);
}

TEST(RowBuffer, CopiesTheChangesOfARange) {
  RowBuffer rows;
  for (const char* key : {"a", "b", "c", "d"}) rows.put(key, key);
  rows.remove("c");
  RowBuffer::Changes changes{{"b", "older"}};
  rows.find_range("b", "d", changes);
  EXPECT_THAT(changes,
              testing::ElementsAre(testing::Pair("b", "b"), testing::Pair("c", std::nullopt)));
}

}  // namespace
}  // namespace millrace::detail
