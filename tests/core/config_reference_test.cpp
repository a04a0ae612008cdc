#include "millrace/core/config/config_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "millrace/core/config/options.h"

namespace millrace {
namespace {

using testing::HasSubstr;

constexpr Option<std::int64_t> kCount{"a.count", "3", "How many.", IntegerRange{1, 9}};
constexpr Option<Duration> kDelay{"a.delay", "10s", "How long."};
constexpr Option<std::string> kName{"a.name", "", "What."};
constexpr Option<LogLevel> kLevel{"a.level", "info", "Which."};
constexpr Option<std::optional<Duration>> kPause{"a.pause", "auto", "When."};
constexpr ConfigOption kOptions[] = {kCount, kDelay, kName, kLevel, kPause};

TEST(ConfigReference, HasARowForEachOption) {
  const std::string page = config_reference(kOptions, {});
  EXPECT_THAT(page, HasSubstr("| `a.count` | integer from 1 to 9 | `3` | How many. |\n"
                              "| `a.delay` | duration | `10s` | How long. |\n"
                              "| `a.name` | text | none | What. |\n"
                              "| `a.level` | `off`, `error`, `warn`, `info` or `debug` | `info` | "
                              "Which. |\n"
                              "| `a.pause` | duration or `auto` | `auto` | When. |\n"));
}

TEST(ConfigReference, HasARowForEachFlag) {
  const EngineFlag flags[] = {{"plan", EngineFlag::Value::kOptional, "FORMAT", "Prints."},
                              {"config", EngineFlag::Value::kRequired, "FILE", "Reads."}};
  EXPECT_THAT(config_reference({}, flags), HasSubstr("| `--plan[=FORMAT]` | Prints. |\n"
                                                     "| `--config=FILE` | Reads. |\n"));
}

TEST(ConfigReference, IsThePageInTheDocumentation) {
  const std::string path = MILLRACE_SOURCE_DIR "/docs/reference/config.md";
  const std::string expected = config_reference(kEngineOptions, kEngineFlags);
  if (std::getenv("UPDATE_DOCS") != nullptr) std::ofstream(path) << expected;
  std::ifstream file(path);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_TRUE(page == expected)
      << "docs/reference/config.md is out of date. Regenerate it by running\n"
      << "  UPDATE_DOCS=1 core_test --gtest_filter=ConfigReference.*\n"
      << "in the build folder's tests/core, and commit the page.";
}

}  // namespace
}  // namespace millrace
