#include "millrace/core/codec/schema.h"

#include <gtest/gtest.h>

#include "core/kitchen_sink.h"
#include "millrace/core/records/record.h"

namespace millrace {
namespace {

struct WordCount {
  std::string word;
  std::int64_t count;
};

template <class T>
std::string text_of() {
  return to_string(schema_of(type_of<T>()));
}

template <class T>
struct Box {
  T value;
};

TEST(Schema, PrintsARecordOnOneLine) {
  EXPECT_EQ(text_of<WordCount>(), "WordCount{word:string,count:int64}");
}

TEST(Schema, PrintsEveryKind) {
  EXPECT_EQ(text_of<KitchenSink>(),
            "KitchenSink{flag:bool,tiny:int8,small:int16,medium:int32,byte:uint8,port:uint16,"
            "address:uint32,large:uint64,single_precision:float,double_precision:double,"
            "text:string,at:timestamp,delay:duration<int64,1/1000>,hours:duration<int32,3600/1>,"
            "color:enum<Color,int16>,maybe_text:optional<string>,"
            "maybe_maybe:optional<optional<int32>>,numbers:list<int64>,words:list<list<string>>,"
            "payments:list<Payment{account:string,cents:int64,at:timestamp}>,"
            "coordinates:array<double,3>,ends:array<string,2>,by_name:map<string,int64>,"
            "by_number:map<int32,Payment>,"
            "either:variant<int64:int64,string:string,Payment:Payment>,"
            "pair:tuple<int32,string>,triple:tuple<bool,double,list<int8>>,"
            "nothings:list<monostate{}>,nested:Payment}");
}

TEST(Schema, EndsARecursiveTypeByItsName) {
  EXPECT_EQ(text_of<Tree>(), "Tree{id:int64,children:list<Tree>,next:optional<Tree>}");
}

TEST(Schema, TellsRecordsOfOneNameApart) {
  using Both = std::pair<Box<int>, Box<double>>;
  EXPECT_EQ(text_of<Both>(), "tuple<Box{value:int32},Box_2{value:double}>");
}

TEST(Schema, SurvivesARoundTripThroughText) {
  for (const Schema& schema :
       {schema_of(type_of<KitchenSink>()), schema_of(type_of<Tree>()),
        schema_of(type_of<std::tuple<>>()), schema_of(type_of<std::string>()),
        schema_of(type_of<std::pair<Box<int>, Box<double>>>())}) {
    const Result<Schema> parsed = Schema::parse(to_string(schema));
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(*parsed, schema);
  }
}

TEST(Schema, SaysWhereTextIsWrongAndWhatWasExpected) {
  const auto message = [](std::string_view text) {
    const Result<Schema> schema = Schema::parse(text);
    return schema ? "no error" : schema.error().message();
  };
  EXPECT_EQ(message("A{b:strin}"),
            "schema 'A{b:strin}', column 5: expected a scalar type or a record named before");
  EXPECT_EQ(message("A{b:string"), "schema 'A{b:string', column 11: expected '}'");
  EXPECT_EQ(message("list<int32>x"),
            "schema 'list<int32>x', column 12: expected the end of the schema");
  EXPECT_EQ(message("set<int32>"),
            "schema 'set<int32>', column 1: expected optional, list, array, map, variant, tuple, "
            "enum or duration");
  EXPECT_EQ(message("array<int32,0>"),
            "schema 'array<int32,0>', column 13: expected a number from 1");
  EXPECT_EQ(message(""), "schema '', column 1: expected the name of a type");
}

TEST(Schema, RefusesRecordsThatHoldThemselvesByValue) {
  EXPECT_FALSE(Schema::parse("A{a:A}"));
  EXPECT_FALSE(Schema::parse("A{b:B{a:array<A,2>}}"));
  EXPECT_TRUE(Schema::parse("A{a:optional<A>}"));
}

TEST(Schema, RefusesTextThatNestsTooDeep) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "list<";
  EXPECT_FALSE(Schema::parse(text));
}

}  // namespace
}  // namespace millrace
