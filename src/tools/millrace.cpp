// The program `millrace`: the processes of a cluster, and tools that need no job.
#include <iostream>
#include <string>
#include <vector>

#include "millrace/tools/state_command.h"
#include "millrace/tools/worker_command.h"

namespace {

constexpr std::string_view kHelp =
    "Usage: millrace COMMAND ...\n\n"
    "  state    looks into savepoints and checkpoints; see millrace state --help\n"
    "  worker   runs parts of a cluster's jobs on this machine; see millrace worker --help\n";

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words.front() == "state") {
    return millrace::run_state_command(std::span(words).subspan(1), std::cout, std::cerr);
  }
  if (!words.empty() && words.front() == "worker") {
    return millrace::run_worker_command(std::span(words).subspan(1), std::cout, std::cerr);
  }
  const bool asked = !words.empty() && (words.front() == "--help" || words.front() == "-h");
  (asked ? std::cout : std::cerr) << kHelp;
  return asked ? 0 : 2;
}
