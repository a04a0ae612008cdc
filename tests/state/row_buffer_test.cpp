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

TEST(RowBuffer, FindsWhatCameSinceSomebodyLookedLast) {
  RowBuffer rows;
  rows.put("a", "1");
  EXPECT_EQ(rows.find("a")->value, "1");
  rows.put("b", "2");
  rows.remove("a");
  EXPECT_EQ(rows.find("b")->value, "2");
  EXPECT_FALSE(rows.find("a")->value);
  rows.clear();
  EXPECT_FALSE(rows.find("b"));
  EXPECT_TRUE(rows.empty());
}

TEST(RowBuffer, AddsNothingThatCannotBeEncoded) {
  RowBuffer rows;
  rows.put("a", "1");
  const Status status = rows.put_encoded("a", 1, [](std::string& out) -> Status {
    out += "half";
    return internal("no more");
  });
  EXPECT_FALSE(status);
  ASSERT_EQ(rows.sorted().size(), 1U);
  EXPECT_EQ(rows.find("a")->value, "1");
}

// A collection whose rows are changed again and again, among very many others.
TEST(RowBuffer, FindsAGroupWithoutLookingAtOthers) {
  RowBuffer rows;
  RowBuffer::Changes model;
  Random random(2);
  std::size_t changes = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string group = "group " + std::to_string(i % 5'000) + "/";
    const std::string key = group + std::to_string(random.below(10));
    const bool removes = random.chance(0.2);
    if (removes) {
      rows.remove(key, group.size());
    } else {
      rows.put(key, std::to_string(i), group.size());
    }
    if (i % 5'000 != 77) continue;
    ++changes;
    model[key] = removes ? std::nullopt : std::optional(std::to_string(i));
  }
  RowBuffer::Changes found;
  EXPECT_EQ(rows.find_group("group 77/", found), changes);
  EXPECT_EQ(found, model);
  EXPECT_EQ(rows.find_group("group 7", found), 0U);
  EXPECT_EQ(rows.find_group("group 77/1", found), 0U);
}

TEST(RowBuffer, LetsAGroupsChangesReplaceOlderOnes) {
  RowBuffer rows;
  rows.put("g1", "new", 1);
  rows.remove("g2", 1);
  rows.put("h3", "of another", 1);
  RowBuffer::Changes changes{{"g1", "old"}, {"g2", "old"}, {"h3", "old"}};
  EXPECT_EQ(rows.find_group("g", changes), 2U);
  EXPECT_THAT(changes,
              testing::ElementsAre(testing::Pair("g1", "new"), testing::Pair("g2", std::nullopt),
                                   testing::Pair("h3", "old")));
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
