#include "millrace/state/key_change.h"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

bool same(std::string_view before, std::string_view now) {
  return is_same_key(*Schema::parse(before), *Schema::parse(now));
}

TEST(KeyChange, AllowsIntegersThatKeepTheirBits) {
  EXPECT_TRUE(same("int32", "int64"));
  EXPECT_TRUE(same("uint8", "int16"));
  EXPECT_TRUE(same("uint32", "uint64"));
  EXPECT_TRUE(same("enum<Colour,uint8>", "int32"));
  EXPECT_TRUE(same("duration<int32,1/1000>", "duration<int64,1/1000>"));
}

TEST(KeyChange, RefusesIntegersThatDoNot) {
  EXPECT_FALSE(same("int64", "int32"));
  EXPECT_FALSE(same("int32", "uint64"));
  EXPECT_FALSE(same("uint32", "int32"));
  EXPECT_FALSE(same("duration<int64,1/1000>", "duration<int64,1/1>"));
  EXPECT_FALSE(same("duration<int64,1/1000>", "int64"));
}

TEST(KeyChange, RefusesAnotherKind) {
  EXPECT_FALSE(same("int64", "string"));
  EXPECT_FALSE(same("bool", "int64"));
  EXPECT_FALSE(same("string", "list<string>"));
  EXPECT_FALSE(same("timestamp", "int64"));
}

TEST(KeyChange, LooksAtPartsInTheirOrderAndNotAtNames) {
  EXPECT_TRUE(same("Key{shop:string,item:int32}", "Place{name:string,number:int64}"));
  EXPECT_TRUE(same("Key{shop:string,item:int32}", "tuple<string,int32>"));
  EXPECT_FALSE(same("Key{shop:string,item:int32}", "Key{item:int32,shop:string}"));
  EXPECT_FALSE(same("Key{shop:string}", "Key{shop:string,item:int32}"));
}

TEST(KeyChange, LooksIntoWhatHoldsOthers) {
  EXPECT_TRUE(same("list<int32>", "list<int64>"));
  EXPECT_FALSE(same("optional<string>", "optional<int64>"));
  EXPECT_FALSE(same("array<int32,2>", "array<int32,3>"));
  EXPECT_TRUE(same("variant<int32:int32>", "variant<int32:int32,string:string>"));
  EXPECT_FALSE(same("variant<int32:int32,string:string>", "variant<string:string,int32:int32>"));
  EXPECT_TRUE(same("Tree{id:int32,below:list<Tree>}", "Tree{id:int64,below:list<Tree>}"));
  EXPECT_FALSE(same("Tree{id:int32,below:list<Tree>}", "Tree{id:string,below:list<Tree>}"));
}

}  // namespace
}  // namespace millrace::detail
