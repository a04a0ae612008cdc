#include "millrace/core/options.h"

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
}

TEST(EngineOptions, CanAllBeLoaded) { EXPECT_TRUE(Config::load(kEngineOptions, {})); }

TEST(EngineOptions, HaveKeysAndVariablesOfTheirOwn) {
  std::set<std::string> names;
  for (const ConfigOption& option : kEngineOptions) {
    EXPECT_TRUE(names.insert(environment_name(option.key)).second) << option.key;
  }
  for (const EnvironmentVariable& variable : kOtherVariables) {
    EXPECT_TRUE(names.insert(std::string(variable.name)).second) << variable.name;
  }
}

TEST(EngineOptions, AreExplained) {
  for (const ConfigOption& option : kEngineOptions) {
    EXPECT_TRUE(option.help.ends_with('.')) << option.key;
  }
}

}  // namespace
}  // namespace millrace
