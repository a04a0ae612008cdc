#include "millrace/core/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace millrace {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

enum class Mode { kStreaming, kBatch };
constexpr std::string_view kModeWords[] = {"streaming", "batch"};
constexpr std::span<const std::string_view> words_of(Mode) { return kModeWords; }

constexpr Option<std::int64_t> kParallelism{"parallelism.default", "1", "", {1, 100}};
constexpr Option<Duration> kInterval{"execution.checkpointing.interval", "10s", ""};
constexpr Option<Mode> kMode{"execution.runtime-mode", "streaming", ""};
constexpr Option<bool> kChaining{"pipeline.operator-chaining.enabled", "true", ""};
constexpr Option<Bytes> kMemory{"state.memory", "64MiB", ""};
constexpr Option<std::string> kFolder{"state.checkpoints.dir", "", ""};
constexpr Option<std::optional<std::int64_t>> kGroups{"state.groups", "auto", "", {1, 100}};
constexpr Option<double> kShare{"state.share", "0.5", ""};

constexpr ConfigOption kOptions[] = {kParallelism, kInterval, kMode,   kChaining,
                                     kMemory,      kFolder,   kGroups, kShare};

Result<Config> from_file(std::string text) {
  return Config::load(kOptions, {.file_name = "millrace.yaml", .file_text = std::move(text)});
}
Result<Config> from_environment(std::vector<std::string> entries) {
  return Config::load(kOptions, {.environment = std::move(entries)});
}
Result<Config> from_flags(std::vector<ConfigFlag> flags) {
  return Config::load(kOptions, {.flags = std::move(flags)});
}

std::string file_error(std::string text) {
  const auto config = from_file(std::move(text));
  return config ? "no error" : config.error().message();
}

TEST(Config, HoldsTheDefaultsWhenNothingIsSet) {
  const Config config;
  EXPECT_EQ(config.get(kParallelism), 1);
  EXPECT_EQ(config.get(kInterval), 10s);
  EXPECT_EQ(config.get(kMode), Mode::kStreaming);
  EXPECT_TRUE(config.get(kChaining));
  EXPECT_EQ(config.get(kMemory), Bytes(64 << 20));
  EXPECT_EQ(config.get(kFolder), "");
  EXPECT_EQ(config.get(kShare), 0.5);
  EXPECT_EQ(config, *Config::load(kOptions, {}));
}

TEST(Config, ReadsNestedMapsAndDottedKeysAlike) {
  const auto config = from_file(
      "# a comment\n"
      "parallelism.default: 4\n"
      "execution:\n"
      "  runtime-mode: batch\n"
      "  checkpointing: {interval: \"1min\"}\n"
      "state.checkpoints: {dir: /tmp/with space}\n");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->get(kParallelism), 4);
  EXPECT_EQ(config->get(kMode), Mode::kBatch);
  EXPECT_EQ(config->get(kInterval), 1min);
  EXPECT_EQ(config->get(kFolder), "/tmp/with space");
}

TEST(Config, AcceptsAFileWithoutContent) {
  EXPECT_EQ(*from_file(""), Config());
  EXPECT_EQ(*from_file("# nothing yet\n"), Config());
  EXPECT_EQ(*from_file("---\n"), Config());
}

TEST(Config, AcceptsASectionWhoseLinesAreCommentedOut) {
  EXPECT_EQ(*from_file("execution:\n#  runtime-mode: batch\n"), Config());
}

TEST(Config, LetsEachSourceOverrideTheOneBefore) {
  ConfigSources sources{.file_name = "millrace.yaml", .file_text = "parallelism.default: 2"};
  EXPECT_EQ(Config::load(kOptions, sources)->get(kParallelism), 2);
  sources.environment = {"HOME=/root", "MILLRACE_PARALLELISM_DEFAULT=3"};
  EXPECT_EQ(Config::load(kOptions, sources)->get(kParallelism), 3);
  sources.flags = {{"parallelism.default", "4"}};
  EXPECT_EQ(Config::load(kOptions, sources)->get(kParallelism), 4);
}

TEST(Config, TellsWhereAValueCameFrom) {
  const auto config = Config::load(
      kOptions, {.file_name = "millrace.yaml",
                 .file_text = "execution:\n  runtime-mode: batch\n",
                 .environment = {"MILLRACE_PARALLELISM_DEFAULT=3"},
                 .flags = {{"state.memory", "1GiB"}, {"state.share", "0.1", "--share"}}});
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(to_string(config->origin(kInterval.key)), "default");
  EXPECT_EQ(to_string(config->origin(kMode.key)), "file millrace.yaml:2:3");
  EXPECT_EQ(to_string(config->origin(kParallelism.key)),
            "environment variable MILLRACE_PARALLELISM_DEFAULT");
  EXPECT_EQ(to_string(config->origin(kMemory.key)), "flag -D");
  EXPECT_EQ(to_string(config->origin(kShare.key)), "flag --share");
  EXPECT_EQ(config->text(kMemory), "1GiB");
  EXPECT_EQ(config->text(kInterval), "10s");
}

TEST(Config, NamesTheNearestKeyForAnUnknownOneInTheFile) {
  EXPECT_EQ(file_error("\nexecution:\n  runtime-mod: batch\n"),
            "millrace.yaml:3:3: unknown key 'execution.runtime-mod'; did you mean "
            "execution.runtime-mode?");
  EXPECT_EQ(file_error("zzz: 1"),
            "millrace.yaml:1:1: unknown key 'zzz'; docs/reference/config.md lists all there are");
}

TEST(Config, NamesPlaceValueAndExpectedTypeOfAWrongValueInTheFile) {
  EXPECT_EQ(file_error("parallelism.default: many"),
            "millrace.yaml:1:22: parallelism.default: 'many' is not an integer; expected one such "
            "as 0, 42 or -7");
  EXPECT_EQ(file_error("parallelism.default: 0"),
            "millrace.yaml:1:22: parallelism.default: '0' is out of range; expected an integer "
            "from 1 to 100");
  EXPECT_EQ(file_error("execution.runtime-mode: fast"),
            "millrace.yaml:1:25: execution.runtime-mode: 'fast' is not a known word; expected "
            "streaming or batch");
  EXPECT_THAT(file_error("execution.checkpointing.interval: 30"), HasSubstr("has no unit"));
  EXPECT_THAT(file_error("state.memory: lots"), HasSubstr("is not a size"));
  EXPECT_THAT(file_error("state.share: half"), HasSubstr("is not a number"));
  EXPECT_THAT(file_error("pipeline.operator-chaining.enabled: yes"), HasSubstr("true or false"));
}

TEST(Config, LeavesAnOptionToTheEngineWhenItIsAuto) {
  EXPECT_EQ(from_file("state.groups: auto")->get(kGroups), std::nullopt);
  EXPECT_EQ(from_file("state.groups: 64")->get(kGroups), 64);
  EXPECT_THAT(file_error("state.groups: 0"), HasSubstr("'0' is out of range"));
  EXPECT_THAT(file_error("state.share: auto"), HasSubstr("is not a number"));
}

TEST(Config, RefusesAKeyWithoutValue) {
  EXPECT_EQ(file_error("execution.runtime-mode:"),
            "millrace.yaml:1:1: execution.runtime-mode has no value; expected a word, or leave "
            "the key out for its default");
  EXPECT_THAT(file_error("zzz:"), HasSubstr("unknown key 'zzz'"));
}

TEST(Config, RefusesAKeyThatStandsTwiceHoweverItIsSpelled) {
  EXPECT_EQ(file_error("state.share: 0.1\nstate: {share: 0.2}\n"),
            "millrace.yaml:2:9: state.share is set twice, first by file millrace.yaml:1:1");
  EXPECT_THAT(
      from_flags({{"state.share", "0.1"}, {"state.share", "0.1", "--share"}}).error().message(),
      StartsWith("flag --share: state.share is set twice, first by flag -D"));
}

TEST(Config, RefusesYamlThatIsNoMapOfSingleValues) {
  EXPECT_THAT(file_error("just text"), StartsWith("millrace.yaml:1:1: expected keys with values"));
  EXPECT_THAT(file_error("- a\n- b\n"), StartsWith("millrace.yaml:1:1: a list is no value"));
  EXPECT_THAT(file_error("state:\n  share: [1, 2]\n"), StartsWith("millrace.yaml:2:10: a list"));
  EXPECT_THAT(file_error("{a: 1}: 2"), StartsWith("millrace.yaml:1:1: expected a key"));
  EXPECT_THAT(file_error("a: &x 1\nb: *x\n"), StartsWith("millrace.yaml:2:4: aliases are not"));
  EXPECT_THAT(file_error("state.share: 1\n---\nstate.share: 1\n"),
              HasSubstr("expected one YAML document"));
}

TEST(Config, RefusesWhatIsNoYaml) {
  EXPECT_THAT(file_error("a: b: c\n"), StartsWith("millrace.yaml:1:5: not valid YAML: "));
  EXPECT_THAT(file_error("state: {share: 1\n"), HasSubstr("not valid YAML"));
}

TEST(Config, RefusesNestingAndFilesBeyondItsLimits) {
  std::string deep;
  for (int i = 0; i < 400; ++i) deep += "{a: ";
  EXPECT_THAT(file_error(deep + std::string(400, '}')), HasSubstr("nested more than 16 deep"));
  for (int i = 0; i < 100'000; ++i) deep += "{a: ";
  EXPECT_NE(file_error(deep), "no error");
  EXPECT_EQ(file_error(std::string(kLargestConfigFile + 1, '\n')),
            "millrace.yaml: 1048577B is too long for a configuration; expected at most 1MiB");
}

TEST(Config, NamesTheNearestVariableForAnUnknownOne) {
  EXPECT_EQ(from_environment({"MILLRACE_PARALELISM_DEFAULT=3"}).error().message(),
            "environment variable MILLRACE_PARALELISM_DEFAULT: no option has this name; did you "
            "mean MILLRACE_PARALLELISM_DEFAULT?");
  EXPECT_FALSE(from_environment({"MILLRACE_"}));
}

TEST(Config, RefusesAWrongValueInTheEnvironment) {
  EXPECT_THAT(from_environment({"MILLRACE_PARALLELISM_DEFAULT="}).error().message(),
              StartsWith("environment variable MILLRACE_PARALLELISM_DEFAULT: parallelism.default: "
                         "'' is not an integer"));
}

TEST(Config, LeavesOtherVariablesAlone) {
  const auto config = from_environment({"PATH=/bin", "MILLRACE", "millrace"});
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(*config, Config());
}

TEST(Config, RefusesUnknownKeysAndWrongValuesOfFlags) {
  EXPECT_EQ(from_flags({{"state.shar", "1"}}).error().message(),
            "flag -D: unknown key 'state.shar'; did you mean state.share?");
  EXPECT_THAT(from_flags({{"parallelism.default", "4.5", "--parallelism"}}).error().message(),
              StartsWith("flag --parallelism: parallelism.default: '4.5' is not an integer"));
}

TEST(ConfigDeathTest, StopsTheProcessForADefaultThatIsNoValueOfItsType) {
  constexpr Option<Duration> kBroken{"broken", "soon", ""};
  const ConfigOption options[] = {kBroken};
  EXPECT_DEATH((void)Config::load(options, {}), "default of an option");
}

TEST(EnvironmentName, IsTheKeyInUpperCaseWithUnderscores) {
  EXPECT_EQ(environment_name("pipeline.max-parallelism"), "MILLRACE_PIPELINE_MAX_PARALLELISM");
}

class ConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "config_test.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

TEST_F(ConfigFile, IsReadWhole) {
  std::ofstream(folder_ / "millrace.yaml") << "state.share: 0.1\n";
  EXPECT_EQ(*read_config_file(folder_ / "millrace.yaml"), "state.share: 0.1\n");
}

TEST_F(ConfigFile, IsNotFoundWhenThereIsNone) {
  EXPECT_EQ(read_config_file(folder_ / "none.yaml").error().code(), ErrorCode::kNotFound);
}

TEST_F(ConfigFile, CannotBeAFolder) {
  EXPECT_EQ(read_config_file(folder_).error().code(), ErrorCode::kUnavailable);
}

TEST_F(ConfigFile, IsNotTakenForNoneWhenItCannotBeRead) {
  std::filesystem::create_symlink("millrace.yaml", folder_ / "millrace.yaml");  // a circle
  const Error error = read_config_file(folder_ / "millrace.yaml").error();
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("millrace.yaml': Too many levels of symbolic links"));
}

TEST_F(ConfigFile, IsCutWhereLoadRefusesIt) {
  std::ofstream(folder_ / "millrace.yaml") << std::string(2 * kLargestConfigFile, '\n');
  EXPECT_EQ(read_config_file(folder_ / "millrace.yaml")->size(), kLargestConfigFile + 1);
}

}  // namespace
}  // namespace millrace
