#include "millrace/core/records/hash.h"

#include <gtest/gtest.h>

#include <map>
#include <unordered_map>

namespace millrace {
namespace {

using namespace std::chrono_literals;

enum class Color : std::int8_t { kRed, kGreen };

struct Route {
  std::string from;
  std::int32_t number;
};

struct Tree {
  std::int64_t id = 0;
  std::vector<Tree> children;
};

class Iban {
 public:
  explicit Iban(std::string text = {}) : text_(std::move(text)) {}

 private:
  friend struct ::millrace::Record<Iban>;
  std::string text_;
};

struct WithFraction {
  std::int64_t id;
  std::optional<float> fraction;
};

}  // namespace

template <>
struct Record<Iban> {
  static constexpr std::tuple fields{field("text", &Iban::text_)};
};

namespace {

// These values are part of the state format: they may never change.
TEST(HashKey, IsStableForEver) {
  EXPECT_EQ(hash_key(std::int64_t{0}), 0x9ca066f1a4ab2eeau);
  EXPECT_EQ(hash_key(std::int64_t{1}), 0xe5fdc025e13eeed5u);
  EXPECT_EQ(hash_key(std::int64_t{-1}), 0x25b775faeca8f520u);
  EXPECT_EQ(hash_key(std::string()), 0x2d06800538d394c2u);
  EXPECT_EQ(hash_key(std::string("millrace")), 0x0f798300cb96eca5u);
  EXPECT_EQ(hash_key(Route{"Basel", 7}), 0xe4daf75f8a91dca0u);
  EXPECT_EQ(hash_key(std::pair(std::int64_t{1}, std::string("a"))), 0x4f8afcbd51ece163u);
  EXPECT_EQ(hash_key(std::vector<std::int64_t>{1, 2}), 0x70a92bb9974dfd23u);
  EXPECT_EQ(hash_key(std::optional<std::int64_t>()), 0x9ca066f1a4ab2eeau);
  EXPECT_EQ(hash_key(std::variant<std::int64_t, std::string>("a")), 0x4f8afcbd51ece163u);
}

TEST(HashKey, OfAnIntegerIsThatOfItsWiderForm) {
  EXPECT_EQ(hash_key(std::int32_t{-5}), hash_key(std::int64_t{-5}));
  EXPECT_EQ(hash_key(std::uint8_t{200}), hash_key(std::int64_t{200}));
  EXPECT_EQ(hash_key(std::uint32_t{4'000'000'000}), hash_key(std::int64_t{4'000'000'000}));
  EXPECT_EQ(hash_key(true), hash_key(std::int64_t{1}));
  EXPECT_EQ(hash_key(Color::kGreen), hash_key(std::int64_t{1}));
  EXPECT_EQ(hash_key(Timestamp(5ms)), hash_key(std::int64_t{5}));
  EXPECT_EQ(hash_key(std::chrono::seconds(5)), hash_key(std::int64_t{5}));
}

TEST(HashKey, OfTextDoesNotDependOnWhatHoldsIt) {
  const char* pointer = "Basel";
  EXPECT_EQ(hash_key("Basel"), hash_key(std::string("Basel")));
  EXPECT_EQ(hash_key(pointer), hash_key(std::string_view("Basel")));
}

TEST(HashKey, DependsOnTheOrderAndNumberOfParts) {
  EXPECT_NE(hash_key(std::pair(1, 2)), hash_key(std::pair(2, 1)));
  EXPECT_NE(hash_key(std::vector<int>{}), hash_key(std::vector<int>{0}));
  EXPECT_NE(hash_key(std::variant<int, long>(1)), hash_key(std::variant<int, long>(1L)));
  EXPECT_NE(hash_key(std::optional<int>()), hash_key(std::optional<int>(0)));
}

TEST(HashKey, OfAStructIsThatOfTheTupleOfItsFields) {
  EXPECT_EQ(hash_key(Route{"Basel", 7}), hash_key(std::tuple(std::string("Basel"), 7)));
  EXPECT_EQ(hash_key(Iban("CH93")), hash_key(std::tuple(std::string("CH93"))));
}

TEST(KeyEqual, ComparesFieldByField) {
  EXPECT_TRUE(key_equal(Route{"Basel", 7}, Route{"Basel", 7}));
  EXPECT_FALSE(key_equal(Route{"Basel", 7}, Route{"Basel", 8}));
  EXPECT_TRUE(key_equal(Iban("CH93"), Iban("CH93")));
  EXPECT_FALSE(key_equal(Tree{1, {{2, {}}}}, Tree{1, {{3, {}}}}));
  EXPECT_FALSE(key_equal(Tree{1, {{2, {}}}}, Tree{1, {}}));
}

TEST(KeyEqual, ComparesAlternativesOfTheSameType) {
  using Either = std::variant<int, int>;
  EXPECT_TRUE(key_equal(Either(std::in_place_index<1>, 3), Either(std::in_place_index<1>, 3)));
  EXPECT_FALSE(key_equal(Either(std::in_place_index<1>, 3), Either(std::in_place_index<0>, 3)));
  EXPECT_FALSE(key_equal(Either(std::in_place_index<1>, 3), Either(std::in_place_index<1>, 4)));
}

TEST(KeyEqual, ComparesTextHoweverItIsHeld) {
  EXPECT_TRUE(key_equal(std::string("a"), std::string_view("a")));
  EXPECT_FALSE(key_equal(std::string("a"), "b"));
}

TEST(IsKey, RefusesWhatHasNoStableHash) {
  static_assert(is_key<Tree> && is_key<Iban> && is_key<std::array<Route, 2>>);
  static_assert(!is_key<double> && !is_key<WithFraction> && !is_key<std::optional<float>>);
  static_assert(!is_key<std::map<int, int>> && !is_key<std::unordered_map<int, int>>);
  static_assert(!is_key<std::unique_ptr<int>> && !is_key<int*> && !is_key<char>);
  static_assert(!is_key<std::tuple<int, std::variant<int, double>>>);
}

}  // namespace
}  // namespace millrace
