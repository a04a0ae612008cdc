// The program `millrace`: tools that need no job.
#include <iostream>
#include <string>
#include <vector>

#include "millrace/tools/state_command.h"

namespace {

constexpr std::string_view kHelp =
    "Usage: millrace COMMAND ...\n\n"
    "  state    looks into savepoints and checkpoints; see millrace state --help\n";

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words.front() == "state") {
    return millrace::run_state_command(std::span(words).subspan(1), std::cout, std::cerr);
  }
  const bool asked = !words.empty() && (words.front() == "--help" || words.front() == "-h");
  (asked ? std::cout : std::cerr) << kHelp;
  return asked ? 0 : 2;
}
