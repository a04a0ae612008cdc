#include "millrace/core/config/load_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "millrace/core/config/options.h"
#include "support/temporary_directory.h"

namespace millrace {
namespace {

using testing::HasSubstr;

TEST(LoadConfig, ReadsTheFileThatAFlagNamesAndLetsFlagsOverrideIt) {
  const test::TemporaryDirectory directory;
  const Argument file{"config", directory.file("a.yaml", "rest.port: 1\nlog.format: json\n")};
  const Result<Config> config =
      load_config(kEngineOptions, &file, {{.key = "rest.port", .value = "2"}});
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->get(kRestPort), 2);
  EXPECT_EQ(config->get(kLogFormat), LogFormat::kJson);
}

TEST(LoadConfig, RefusesAFileThatIsNamedAndNotThere) {
  const Argument file{"config", "/nowhere/a.yaml"};
  const Result<Config> config = load_config(kEngineOptions, &file, {});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message(), HasSubstr("/nowhere/a.yaml"));
}

// Whoever has it set for the commands of `millrace` also runs jobs.
TEST(LoadConfig, LeavesMillraceRestToTheCommands) {
  ASSERT_EQ(setenv("MILLRACE_REST", "http://127.0.0.1:1", 1), 0);
  EXPECT_TRUE(load_config(kEngineOptions, nullptr, {}));
  unsetenv("MILLRACE_REST");
  ASSERT_EQ(setenv("MILLRACE_REST_PORTS", "1", 1), 0);
  const Result<Config> config = load_config(kEngineOptions, nullptr, {});
  unsetenv("MILLRACE_REST_PORTS");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message(), HasSubstr("MILLRACE_REST_PORT"));
}

}  // namespace
}  // namespace millrace
