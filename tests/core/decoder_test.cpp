// Records that were written by an older version of a job.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/kitchen_sink.h"
#include "millrace/core/codec/codec.h"

namespace millrace {
namespace {

using detail::Decoder;
using testing::HasSubstr;

// Writes with one type and reads into rows of another.
template <class Wanted, class Written>
Result<std::vector<Wanted>> evolve(const std::vector<Written>& values,
                                   std::vector<Wanted> rows = {}) {
  std::string bytes;
  Status status = detail::encode(type_of<Written>(), detail::Rows::of(std::span(values)), bytes);
  if (!status) return status.error();
  const Result<Decoder> decoder = Decoder::make(schema_of(type_of<Written>()), type_of<Wanted>());
  if (!decoder) return decoder.error();
  rows.resize(values.size());
  std::string_view in = bytes;
  status = decoder->decode(in, detail::MutableRows::of(std::span(rows)));
  if (!status) return status.error();
  EXPECT_TRUE(in.empty());
  return rows;
}

namespace v1 {
struct Address {
  std::string street;
  std::int16_t number;
};
struct Customer {
  std::int32_t id;
  std::string name;
  KitchenSink removed;
  Address address;
  float balance;
  std::uint16_t visits;
  std::vector<Address> others;
  std::map<std::string, Address> by_label;
  std::variant<Address, std::string> contact;
  std::optional<Address> maybe;
};
}  // namespace v1

namespace v2 {
struct Address {
  std::int64_t number;
  std::string street;
  std::string country = "CH";
};
struct Customer {
  std::string name;
  std::int64_t id;
  std::int32_t level = 3;
  Address address;
  double balance;
  std::int32_t visits;
  std::vector<Address> others;
  std::map<std::string, Address> by_label;
  std::variant<std::string, std::monostate, Address> contact;
  std::optional<Address> maybe;
};
}  // namespace v2

std::vector<v1::Customer> old_customers() {
  std::vector<v1::Customer> customers(2);
  const std::vector<KitchenSink> sinks = kitchen_sinks(2);
  for (std::size_t i = 0; i < 2; ++i) {
    customers[i].id = static_cast<std::int32_t>(i) - 1;
    customers[i].name = i == 0 ? "Ada" : "Grace";
    customers[i].removed = sinks[i];
    customers[i].address = {"Main Street", -7};
    customers[i].balance = 1.5;
    customers[i].visits = 65'000;
  }
  customers[0].others = {{"First", 1}, {"Second", 2}};
  customers[0].by_label = {{"home", {"Home", 3}}};
  customers[0].contact = "call me";
  customers[1].contact = v1::Address{"Post Box", 4};
  customers[1].maybe = v1::Address{"Perhaps", 5};
  return customers;
}

TEST(Decoder, MatchesFieldsByName) {
  const Result<std::vector<v2::Customer>> read = evolve<v2::Customer>(old_customers());
  ASSERT_TRUE(read) << read.error().message();
  const v2::Customer& ada = (*read)[0];
  EXPECT_EQ(ada.name, "Ada");
  EXPECT_EQ(ada.id, -1);
  EXPECT_EQ(ada.address.number, -7);
  EXPECT_EQ(ada.address.street, "Main Street");
  EXPECT_EQ(ada.balance, 1.5);
  EXPECT_EQ(ada.visits, 65'000);
}

TEST(Decoder, ReadsChangedRecordsInsideContainers) {
  const Result<std::vector<v2::Customer>> read = evolve<v2::Customer>(old_customers());
  ASSERT_TRUE(read) << read.error().message();
  const v2::Customer& ada = (*read)[0];
  const v2::Customer& grace = (*read)[1];
  ASSERT_EQ(ada.others.size(), 2u);
  EXPECT_EQ(ada.others[1].number, 2);
  EXPECT_EQ(ada.by_label.at("home").street, "Home");
  EXPECT_EQ(std::get<std::string>(ada.contact), "call me");
  EXPECT_EQ(std::get<v2::Address>(grace.contact).number, 4);
  EXPECT_FALSE(ada.maybe);
  EXPECT_EQ(grace.maybe->street, "Perhaps");
}

TEST(Decoder, GivesAddedFieldsTheirDefaultsInRecycledRowsToo) {
  std::vector<v2::Customer> recycled(2);
  recycled[0].level = 99;
  recycled[1].address.country = "FR";
  const Result<std::vector<v2::Customer>> read =
      evolve<v2::Customer>(old_customers(), std::move(recycled));
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)[0].level, 3);
  EXPECT_EQ((*read)[1].address.country, "CH");
}

// As many fields as before, and all that were kept are where they were.
TEST(Decoder, TakesNoAddedFieldForTheRemovedOneInItsPlace) {
  struct Before {
    std::int32_t count;
    std::int64_t cents;
  };
  struct After {
    std::int32_t count;
    std::int64_t limit = -1;
  };
  const auto rows = evolve<After>(std::vector<Before>{{1, 500}, {2, 700}});
  ASSERT_TRUE(rows) << rows.error().message();
  EXPECT_EQ((*rows)[1].count, 2);
  EXPECT_EQ((*rows)[0].limit, -1);
  EXPECT_EQ((*rows)[1].limit, -1);
}

TEST(Decoder, ReadsAValueThatBecameOptional) {
  struct Old {
    std::int32_t age;
  };
  struct New {
    std::optional<std::int64_t> age;
  };
  const Result<std::vector<New>> read = evolve<New>(std::vector<Old>{{5}, {6}});
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)[1].age, 6);
}

TEST(Decoder, ReadsAChangedRecursiveType) {
  struct OldTree {
    std::int32_t id = 0;
    std::vector<OldTree> children;
  };
  OldTree tree{1, {{2, {{3, {}}}}, {4, {}}}};
  const Result<std::vector<Tree>> read = evolve<Tree>(std::vector<OldTree>{tree});
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ((*read)[0].children[0].children[0].id, 3);
  EXPECT_EQ((*read)[0].children[1].id, 4);
}

TEST(Decoder, ReadsRecordsThatDidNotChange) {
  const std::vector<KitchenSink> sinks = kitchen_sinks(4);
  EXPECT_EQ(*evolve<KitchenSink>(sinks), sinks);
}

TEST(Decoder, WidensIntegersByTheirSign) {
  using Old = std::tuple<std::int8_t, std::int16_t, std::int32_t, std::uint8_t, std::uint32_t>;
  using New = std::tuple<std::int16_t, std::int32_t, std::int64_t, std::int16_t, std::uint64_t>;
  const Result<std::vector<New>> read =
      evolve<New>(std::vector<Old>{{-1, -2, -3, 255, 4'000'000'000}});
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ((*read)[0], New(-1, -2, -3, 255, 4'000'000'000));
}

TEST(Decoder, RefusesAnImpossibleChangeAndShowsBothSchemas) {
  struct Old {
    std::vector<v1::Address> list;
  };
  struct Street {
    std::int64_t street;
  };
  struct New {
    std::vector<Street> list;
  };
  const Result<std::vector<New>> read = evolve<New>(std::vector<Old>(1));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(read.error().message(),
              HasSubstr("field 'list.street' was written as string and cannot be read as int64"));
  EXPECT_THAT(read.error().message(),
              HasSubstr("written: Old{list:list<Address{street:string,number:int16}>}"));
  EXPECT_THAT(read.error().message(), HasSubstr("wanted: New{list:list<Street{street:int64}>}"));
}

TEST(Decoder, RefusesChangesThatWouldLoseSomething) {
  EXPECT_FALSE(evolve<std::int32_t>(std::vector<std::int64_t>{1}));
  EXPECT_FALSE(evolve<std::uint64_t>(std::vector<std::int32_t>{1}));
  EXPECT_FALSE(evolve<float>(std::vector<double>{1}));
  EXPECT_FALSE(evolve<std::chrono::seconds>(std::vector<std::chrono::milliseconds>(1)));
  EXPECT_FALSE((evolve<std::array<int, 2>>(std::vector<std::array<int, 3>>(1))));
  EXPECT_FALSE((evolve<std::variant<int>>(std::vector<std::variant<int, std::string>>(1))));
  EXPECT_FALSE((evolve<std::pair<int, int>>(std::vector<std::tuple<int>>(1))));
}

TEST(Decoder, RefusesEveryCutOfAnOldEncoding) {
  const std::vector<v1::Customer> customers = old_customers();
  std::string bytes;
  ASSERT_TRUE(
      detail::encode(type_of<v1::Customer>(), detail::Rows::of(std::span(customers)), bytes));
  const Result<Decoder> decoder =
      Decoder::make(schema_of(type_of<v1::Customer>()), type_of<v2::Customer>());
  std::vector<v2::Customer> rows(2);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view in = std::string_view(bytes).substr(0, size);
    ASSERT_FALSE(decoder->decode(in, detail::MutableRows::of(std::span(rows)))) << size;
  }
}

}  // namespace
}  // namespace millrace
