#include "millrace/core/text.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace millrace {
namespace {

TEST(Text, ConcatenatesPieces) { EXPECT_EQ(concat("line ", 3, ':', std::string("x")), "line 3:x"); }

TEST(Text, QuotesControlCharactersAndCutsLongText) {
  EXPECT_EQ(in_quotes("a\nb\x01"), "'a\\nb\\x01'");
  EXPECT_EQ(in_quotes(std::string(100, 'x')), "'" + std::string(80, 'x') + "...'");
}

TEST(Text, JoinsWordsAsASentenceDoes) {
  const std::vector<std::string> words{"a", "b", "c"};
  EXPECT_EQ(join(words), "a, b and c");
  EXPECT_EQ(join(std::span(words).first(1)), "a");
}

TEST(Text, NamesTypesAsAProgramDoes) {
  EXPECT_EQ(readable_name(typeid(int)), "int");
  EXPECT_EQ(readable_name(typeid(std::pair<std::string, int>)), "std::pair<std::string, int>");
}

TEST(Text, NamesTheNearestKnownWordOnlyWhenItIsNear) {
  const std::vector<std::string> known{"parallelism", "mode", "config"};
  EXPECT_EQ(nearest("paralelism", known), "parallelism");
  EXPECT_EQ(nearest("mod", known), "mode");
  EXPECT_EQ(nearest("quite-different", known), "");
}

}  // namespace
}  // namespace millrace
