#include "millrace/core/config/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr EngineFlag kFlags[] = {
    {"mode", EngineFlag::Value::kRequired, "MODE", ""},
    {"plan", EngineFlag::Value::kOptional, "FORMAT", ""},
    {"quiet", EngineFlag::Value::kNone, "", ""},
};

Result<Arguments> split(std::vector<std::string> words) { return split_arguments(words, kFlags); }

std::string error_of(std::vector<std::string> words) {
  const auto arguments = split(std::move(words));
  return arguments ? "no error" : arguments.error().message();
}

TEST(Arguments, MayBeNone) { EXPECT_EQ(*split({}), Arguments()); }

TEST(Arguments, SeparateFlagsOfTheEngineFromParametersOfTheJob) {
  const auto arguments = split({"--input=a=b", "--mode=batch", "--limit", "5", "--quiet"});
  ASSERT_TRUE(arguments) << arguments.error().message();
  EXPECT_THAT(arguments->parameters, ElementsAre(Argument{"input", "a=b"}, Argument{"limit", "5"}));
  EXPECT_THAT(arguments->engine,
              ElementsAre(Argument{"mode", "batch"}, Argument{"quiet", std::nullopt}));
}

TEST(Arguments, GiveAParameterNoTextBeforeAnotherFlagOrAtTheEnd) {
  const auto arguments = split({"--verbose", "--dry-run", "-D", "a=b", "--last"});
  EXPECT_THAT(arguments->parameters,
              ElementsAre(Argument{"verbose", std::nullopt}, Argument{"dry-run", std::nullopt},
                          Argument{"last", std::nullopt}));
}

TEST(Arguments, TakeNegativeNumbersAndADashAsValues) {
  const auto arguments = split({"--limit", "-5", "--share", "-.5", "--input", "-"});
  EXPECT_THAT(arguments->parameters, ElementsAre(Argument{"limit", "-5"}, Argument{"share", "-.5"},
                                                 Argument{"input", "-"}));
}

TEST(Arguments, KeepAnEmptyValue) {
  EXPECT_THAT(split({"--input="})->parameters, ElementsAre(Argument{"input", ""}));
}

TEST(Arguments, GiveAnOptionalValueWithAnEqualsSignAlone) {
  EXPECT_THAT(split({"--plan=json"})->engine, ElementsAre(Argument{"plan", "json"}));
  EXPECT_THAT(split({"--plan", "--quiet"})->engine[0], (Argument{"plan", std::nullopt}));
  EXPECT_EQ(error_of({"--plan", "json"}),
            "unexpected argument 'json'; parameters are given as --name=value");
}

TEST(Arguments, GiveARequiredValueEitherWay) {
  EXPECT_THAT(split({"--mode", "batch"})->engine, ElementsAre(Argument{"mode", "batch"}));
  EXPECT_EQ(error_of({"--mode"}), "--mode has no value; give it as --mode=MODE");
  EXPECT_EQ(error_of({"--mode", "--quiet"}), "--mode has no value; give it as --mode=MODE");
}

TEST(Arguments, RefuseAValueForAFlagWithoutOne) {
  EXPECT_EQ(error_of({"--quiet=yes"}), "--quiet takes no value, but has 'yes'");
}

TEST(Arguments, ReadSettingsWithAndWithoutASpace) {
  const auto arguments = split({"-D", "a.b=1", "-Dc=x=y", "-Dd="});
  EXPECT_THAT(arguments->settings,
              ElementsAre(ConfigFlag{"a.b", "1"}, ConfigFlag{"c", "x=y"}, ConfigFlag{"d", ""}));
}

TEST(Arguments, RefuseASettingWithoutKeyOrValue) {
  EXPECT_EQ(error_of({"-D", "a.b"}),
            "-D 'a.b' sets nothing; expected -D key=value, as in -D parallelism.default=4");
  EXPECT_NE(error_of({"-D"}), "no error");
  EXPECT_NE(error_of({"-D=1"}), "no error");
}

TEST(Arguments, AskForHelpInEitherSpelling) {
  EXPECT_TRUE(split({"--help"})->help);
  EXPECT_TRUE(split({"--input=x", "-h"})->help);
  EXPECT_FALSE(split({"--input=x"})->help);
}

TEST(Arguments, HandBackWhatFollowsTheTwoDashes) {
  const auto arguments = split({"--quiet", "--", "--help", "x"});
  EXPECT_THAT(arguments->rest, ElementsAre("--help", "x"));
  EXPECT_FALSE(arguments->help);
  EXPECT_THAT(arguments->parameters, IsEmpty());
}

TEST(Arguments, RefuseAFlagGivenTwice) {
  EXPECT_EQ(error_of({"--limit=1", "--limit=2"}), "--limit is given twice");
  EXPECT_EQ(error_of({"--quiet", "--quiet"}), "--quiet is given twice");
}

TEST(Arguments, RefuseWordsThatBelongToNoFlag) {
  EXPECT_EQ(error_of({"input.txt"}),
            "unexpected argument 'input.txt'; parameters are given as --name=value");
  EXPECT_EQ(error_of({"-x"}), "unknown flag -x; flags are given as --name=value, settings as -D");
  EXPECT_EQ(error_of({"--=1"}), "'--=1' names no flag; expected --name=value");
}

TEST(Arguments, FindAFlagOfTheEngine) {
  const auto arguments = split({"--mode=batch", "--input=x"});
  ASSERT_NE(arguments->find_engine_flag("mode"), nullptr);
  EXPECT_EQ(arguments->find_engine_flag("mode")->text, "batch");
  EXPECT_EQ(arguments->find_engine_flag("input"), nullptr);
}

}  // namespace
}  // namespace millrace
