#include "millrace/core/config/options.h"

#include <gtest/gtest.h>

#include <set>

namespace millrace {
namespace {

TEST(EngineOptions, HaveDefaultsOfTheirTypes) {
  const Config config;
  EXPECT_EQ(config.get(kDefaultParallelism), std::nullopt);
  EXPECT_EQ(config.get(kMaxParallelism), std::nullopt);
  EXPECT_EQ(config.get(kRuntimeMode), Mode::kAutomatic);
  EXPECT_TRUE(config.get(kOperatorChaining));
  EXPECT_EQ(config.get(kLogLevel), LogLevel::kInfo);
  EXPECT_EQ(config.get(kLogFile), "");
  EXPECT_EQ(config.get(kLogFormat), LogFormat::kText);
}

TEST(EngineOptions, CanAllBeLoaded) { EXPECT_TRUE(Config::load(kEngineOptions, {})); }

TEST(EngineOptions, HaveKeysAndVariablesOfTheirOwn) {
  std::set<std::string> names;
  for (const ConfigOption& option : kEngineOptions) {
    EXPECT_TRUE(names.insert(environment_name(option.key)).second) << option.key;
  }
}

TEST(EngineOptions, AreExplained) {
  for (const ConfigOption& option : kEngineOptions) {
    EXPECT_TRUE(option.help.ends_with('.')) << option.key;
  }
  for (const EngineFlag& flag : kEngineFlags) {
    EXPECT_TRUE(flag.help.ends_with('.')) << flag.name;
  }
}

}  // namespace
}  // namespace millrace
