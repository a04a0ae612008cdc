#include "millrace/core/records/record.h"

#include <gtest/gtest.h>

#include <map>
#include <unordered_map>

#include "core/kitchen_sink.h"

namespace millrace {
namespace {

using detail::Field;
using detail::Kind;
using detail::Type;

const Type& field_type(const Type& record, std::string_view name) {
  for (const Field& field : record.fields) {
    if (field.name == name) return field.type();
  }
  ADD_FAILURE() << "no field " << name;
  return record;
}

struct Empty {};

template <class T>
struct Box {
  T value;
};

struct Secret {
  std::string text;
};

class Money {
 public:
  explicit Money(std::int64_t cents = 0) : cents_(cents) {}

 private:
  friend struct ::millrace::Record<Money>;
  std::int64_t cents_;
  std::string currency_ = "EUR";
};

}  // namespace

template <>
struct Record<Money> {
  static constexpr std::tuple fields{field("cents", &Money::cents_),
                                     field("currency", &Money::currency_)};
};

namespace {

TEST(TypeOf, ListsFieldsByNameAndPlace) {
  const Type& type = type_of<Payment>();
  EXPECT_EQ(type.kind, Kind::kRecord);
  EXPECT_EQ(type.name, "Payment");
  EXPECT_EQ(type.size, sizeof(Payment));
  ASSERT_EQ(type.fields.size(), 3u);
  EXPECT_EQ(type.fields[1].name, "cents");
  EXPECT_EQ(type.fields[1].offset, offsetof(Payment, cents));
  EXPECT_EQ(&type.fields[2].type(), &type_of<Timestamp>());
}

TEST(TypeOf, KnowsEveryKind) {
  const Type& type = type_of<KitchenSink>();
  EXPECT_EQ(field_type(type, "flag").kind, Kind::kBool);
  EXPECT_EQ(field_type(type, "tiny").kind, Kind::kInt8);
  EXPECT_EQ(field_type(type, "large").kind, Kind::kUInt64);
  EXPECT_EQ(field_type(type, "single_precision").kind, Kind::kFloat);
  EXPECT_EQ(field_type(type, "double_precision").kind, Kind::kDouble);
  EXPECT_EQ(field_type(type, "text").kind, Kind::kString);
  EXPECT_EQ(field_type(type, "at").kind, Kind::kTimestamp);
  EXPECT_EQ(field_type(type, "color").kind, Kind::kEnum);
  EXPECT_EQ(field_type(type, "maybe_text").kind, Kind::kOptional);
  EXPECT_EQ(field_type(type, "numbers").kind, Kind::kList);
  EXPECT_EQ(field_type(type, "coordinates").length, 3u);
  EXPECT_EQ(field_type(type, "by_name").kind, Kind::kMap);
  EXPECT_EQ(field_type(type, "by_number").kind, Kind::kMap);
  EXPECT_EQ(field_type(type, "either").fields.size(), 3u);
  EXPECT_TRUE(field_type(type, "pair").is_tuple());
}

TEST(TypeOf, KeepsThePeriodOfADuration) {
  const Type& type = type_of<std::chrono::milliseconds>();
  EXPECT_EQ(type.kind, Kind::kDuration);
  EXPECT_EQ(type.integer, Kind::kInt64);
  EXPECT_EQ(type.period_denominator, 1'000);
}

TEST(TypeOf, NamesTheEnumeratorsFrom0To127) {
  const Type& type = type_of<Color>();
  ASSERT_EQ(type.names.size(), 3u);
  EXPECT_EQ(detail::enum_name(type, 0), "kRed");
  EXPECT_EQ(detail::enum_name(type, 100), "kBlue");
  EXPECT_EQ(detail::enum_name(type, 3), "");
  EXPECT_EQ(detail::enum_name(type, -1), "");
}

TEST(TypeOf, LeavesScopesAndTemplateArgumentsOutOfNames) {
  struct Local {
    int number;
  };
  EXPECT_EQ(type_of<Local>().name, "Local");
  EXPECT_EQ(type_of<Local>().fields[0].name, "number");
  EXPECT_EQ((type_of<Box<std::map<int, std::string>>>().name), "Box");
  EXPECT_EQ(type_of<Box<Local>>().fields[0].name, "value");
}

TEST(TypeOf, NamesAlternativesApart) {
  const Type& type = type_of<std::variant<int, std::string, Box<int>, Box<double>>>();
  EXPECT_EQ(type.fields[0].name, "int32");
  EXPECT_EQ(type.fields[1].name, "string");
  EXPECT_EQ(type.fields[2].name, "Box");
  EXPECT_EQ(type.fields[3].name, "Box_2");
}

TEST(TypeOf, DescribesATypeThatContainsItself) {
  const Type& type = type_of<Tree>();
  EXPECT_EQ(&field_type(type, "children").element(), &type);
  EXPECT_EQ(&field_type(type, "next").element(), &type);
}

TEST(TypeOf, TakesATypeThatDescribesItself) {
  const Type& type = type_of<Money>();
  EXPECT_EQ(type.name, "Money");
  ASSERT_EQ(type.fields.size(), 2u);
  EXPECT_EQ(type.fields[0].name, "cents");
  EXPECT_EQ(&type.fields[1].type(), &type_of<std::string>());
}

TEST(TypeOf, TakesAStructWithoutFields) { EXPECT_TRUE(type_of<Empty>().fields.empty()); }

TEST(TypeOf, ResetsARecordToItsDefaults) {
  struct Settings {
    int attempts = 3;
    std::string name = "unset";
  };
  Settings settings{7, "mine"};
  type_of<Settings>().reset(&settings);
  EXPECT_EQ(settings.attempts, 3);
  EXPECT_EQ(settings.name, "unset");
}

TEST(Reflect, CountsUpTo64Fields) {
  struct Wide {
    std::array<std::string, 2> a1, a2, a3, a4, a5, a6, a7, a8;
    std::optional<int> b1, b2, b3, b4, b5, b6, b7, b8;
    std::int8_t c1, c2, c3, c4, c5, c6, c7, c8;
    std::variant<int, double> d1, d2, d3, d4, d5, d6, d7, d8;
    Secret e1, e2, e3, e4, e5, e6, e7, e8;
    std::map<int, int> f1, f2, f3, f4, f5, f6, f7, f8;
    std::unique_ptr<int> g1, g2, g3, g4, g5, g6, g7, g8;
    std::int64_t h1 = 1, h2 = 2, h3 = 3, h4 = 4, h5 = 5, h6 = 6, h7 = 7, h8 = 8;
  };
  const Type& type = type_of<Wide>();
  ASSERT_EQ(type.fields.size(), 64u);
  EXPECT_EQ(type.fields[0].name, "a1");
  EXPECT_EQ(type.fields[63].name, "h8");
  EXPECT_EQ(type.fields[63].offset + sizeof(std::int64_t), sizeof(Wide));
}

}  // namespace
}  // namespace millrace
