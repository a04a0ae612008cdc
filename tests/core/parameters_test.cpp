#include "millrace/core/config/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr EngineFlag kFlags[] = {{"mode", EngineFlag::Value::kRequired, "MODE", ""}};

Parameters given(std::vector<Argument> arguments) {
  return Parameters(std::move(arguments), kFlags);
}

TEST(Parameters, ReadEachTypeFromText) {
  Parameters parameters = given({{"text", "a b"},
                                 {"integer", "-3"},
                                 {"number", "0.5"},
                                 {"boolean", "false"},
                                 {"delay", "2min"},
                                 {"start", "1970-01-02"},
                                 {"size", "1KiB"}});
  EXPECT_EQ(*parameters.take<std::string>("text"), "a b");
  EXPECT_EQ(*parameters.take<std::int64_t>("integer"), -3);
  EXPECT_EQ(*parameters.take<double>("number"), 0.5);
  EXPECT_EQ(*parameters.take<bool>("boolean"), false);
  EXPECT_EQ(*parameters.take<std::chrono::seconds>("delay"), 120s);
  EXPECT_EQ(*parameters.take<Timestamp>("start"), Timestamp(24h));
  EXPECT_EQ(*parameters.take<Bytes>("size"), Bytes(1'024));
  EXPECT_TRUE(parameters.check_all_known());
}

TEST(Parameters, HaveTheirDefaultWhenNotGiven) {
  Parameters parameters;
  EXPECT_EQ(*parameters.take<std::int64_t>("limit", 50'000), 50'000);
  EXPECT_EQ(*parameters.take<std::string>("name", "x"), "x");
  EXPECT_EQ(*parameters.take<Duration>("delay", 5s), 5s);
}

TEST(Parameters, AreTrueWhenABooleanIsGivenWithoutText) {
  Parameters parameters = given({{"verbose", std::nullopt}});
  EXPECT_TRUE(*parameters.take<bool>("verbose", false));
}

TEST(Parameters, RefuseToBeMissingWhenRequired) {
  Parameters parameters;
  EXPECT_EQ(parameters.take<std::string>("input").error().message(),
            "parameter --input is missing; expected a text, given as --input=...");
}

TEST(Parameters, NeedAValueUnlessBoolean) {
  Parameters parameters = given({{"limit", std::nullopt}});
  EXPECT_EQ(parameters.take<std::int64_t>("limit", 1).error().message(),
            "--limit has no value; expected an integer, given as --limit=...");
}

TEST(Parameters, NameFlagValueAndTypeOfAWrongValue) {
  Parameters parameters = given({{"limit", "many"}, {"verbose", "input.txt"}});
  EXPECT_EQ(parameters.take<std::int64_t>("limit").error().message(),
            "--limit: 'many' is not an integer; expected one such as 0, 42 or -7");
  EXPECT_EQ(parameters.take<bool>("verbose").error().message(),
            "--verbose: 'input.txt' is not a boolean; expected true or false");
}

TEST(Parameters, AreListedAsDeclaredEvenWhenTakingFailed) {
  Parameters parameters = given({{"limit", "many"}});
  EXPECT_FALSE(parameters.take<std::string>("input", std::nullopt, "Where to read."));
  EXPECT_FALSE(parameters.take<std::int64_t>("limit", 5));
  EXPECT_THAT(parameters.declared(),
              testing::ElementsAre(
                  ParameterDeclaration{"input", ValueKind::kText, std::nullopt, "Where to read."},
                  ParameterDeclaration{"limit", ValueKind::kInteger, "5", ""}));
}

TEST(Parameters, RefuseAFlagThatNobodyTookAndNameTheNearest) {
  Parameters parameters = given({{"inptu", "x"}});
  EXPECT_FALSE(parameters.take<std::string>("input"));
  EXPECT_EQ(parameters.check_all_known().error().message(),
            "unknown flag --inptu; did you mean --input?");
  EXPECT_EQ(given({{"mdoe", "batch"}}).check_all_known().error().message(),
            "unknown flag --mdoe; did you mean --mode?");
  EXPECT_EQ(given({{"something", "x"}}).check_all_known().error().message(),
            "unknown flag --something; --help lists all there are");
}

TEST(Parameters, RefuseTheNameOfAFlagOfTheEngine) {
  Parameters parameters = given({});
  EXPECT_EQ(parameters.take<std::string>("mode", "x").error().message(),
            "parameter 'mode' is reserved: --mode is a flag of Millrace; choose another name");
  EXPECT_THAT(parameters.take<std::string>("help", "x").error().message(),
              HasSubstr("is reserved"));
}

TEST(Parameters, RefuseANameThatNoFlagCanHave) {
  Parameters parameters;
  for (const char* name : {"", "-x", "a b", "a=b"}) {
    EXPECT_THAT(parameters.take<std::string>(name, "x").error().message(),
                HasSubstr("is no name for a parameter"));
  }
}

TEST(Parameters, CanBeDeclaredTwiceTheSameWay) {
  Parameters parameters = given({{"limit", "7"}});
  EXPECT_EQ(*parameters.take<std::int64_t>("limit", 5), 7);
  EXPECT_EQ(*parameters.take<std::int64_t>("limit", 5, "The most."), 7);
  ASSERT_EQ(parameters.declared().size(), 1u);
  EXPECT_EQ(parameters.declared()[0].help, "The most.");
}

TEST(Parameters, RefuseASecondDeclarationOfAnotherTypeOrDefault) {
  Parameters parameters = given({{"limit", "7"}});
  EXPECT_TRUE(parameters.take<std::int64_t>("limit", 5));
  EXPECT_EQ(parameters.take<std::string>("limit").error().message(),
            "parameter 'limit' is declared twice, as an integer with default '5', and as a text, "
            "required; declare it the same way each time");
  EXPECT_THAT(parameters.take<std::int64_t>("limit", 6).error().message(),
              HasSubstr("is declared twice"));
}

}  // namespace
}  // namespace millrace
