#include "millrace/core/config/help_text.h"

#include <gtest/gtest.h>

#include <sstream>

namespace millrace {
namespace {

constexpr EngineFlag kFlags[] = {
    {"mode", EngineFlag::Value::kRequired, "MODE", "streaming, batch or automatic."},
    {"plan", EngineFlag::Value::kOptional, "json", "Prints the plan and runs nothing."},
    {"quiet", EngineFlag::Value::kNone, "", ""},
};

TEST(HelpText, ListsParametersThenFlagsInTwoColumns) {
  const std::vector<ParameterDeclaration> declared{
      {"input", ValueKind::kText, std::nullopt, ""},
      {"limit", ValueKind::kInteger, "50000",
       "Cents from which a payment is large, so that it may follow a small probe."},
      {"a-parameter-with-a-long-name", ValueKind::kDuration, "5s", "How long."}};
  EXPECT_EQ(help_text("fraud", kFlags, declared),
            "Usage: fraud [--name=value]... [-D key=value]...\n"
            "\n"
            "Parameters of this job:\n"
            "  --input=TEXT     (required)\n"
            "  --limit=INTEGER  Cents from which a payment is large, so that it may follow a\n"
            "                   small probe. (default '50000')\n"
            "  --a-parameter-with-a-long-name=DURATION\n"
            "                   How long. (default '5s')\n"
            "\n"
            "Flags of Millrace:\n"
            "  --mode=MODE      streaming, batch or automatic.\n"
            "  --plan[=json]    Prints the plan and runs nothing.\n"
            "  --quiet\n"
            "  -D KEY=VALUE     Sets a configuration option.\n"
            "  -h, --help       Prints this text.\n");
}

TEST(HelpText, LeavesOutTheHeadingOfParametersWhenThereAreNone) {
  EXPECT_EQ(help_text("tick", {}, {}),
            "Usage: tick [--name=value]... [-D key=value]...\n"
            "\n"
            "Flags of Millrace:\n"
            "  -D KEY=VALUE  Sets a configuration option.\n"
            "  -h, --help    Prints this text.\n");
}

TEST(HelpText, StaysWithinEightyColumns) {
  std::string help;
  for (int i = 0; i < 60; ++i) help += "word" + std::to_string(i) + ' ';
  const std::vector<ParameterDeclaration> declared{
      {"twenty-eight-wide-x", ValueKind::kBoolean, "false", help}};
  std::istringstream lines(help_text("x", kFlags, declared));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

}  // namespace
}  // namespace millrace
