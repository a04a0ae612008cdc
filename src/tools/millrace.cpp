// The program `millrace`: looks into state, and asks clusters.
#include <signal.h>

#include <iostream>
#include <string>
#include <vector>

#include "millrace/tools/cluster_command.h"
#include "millrace/tools/coordinator_command.h"
#include "millrace/tools/local_cluster_command.h"
#include "millrace/tools/state_command.h"

namespace {

constexpr std::string_view kHelp =
    "Usage: millrace COMMAND ...\n\n"
    "  cluster      runs coordinators and workers on this machine\n"
    "  coordinator  leads a cluster\n"
    "  state      looks into savepoints and checkpoints; see millrace state --help\n";

volatile sig_atomic_t interrupted = 0;  // a signal handler can reach nothing but a global

// The first Ctrl-C is noted, the second ends the program. A broken connection is an error of
// whoever writes to it.
void take_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words.front() == "state") {
    return millrace::run_state_command(std::span(words).subspan(1), std::cout, std::cerr);
  }
  if (!words.empty() && words.front() == "coordinator") {
    return millrace::run_coordinator_command(std::span(words).subspan(1), std::cout, std::cerr);
  }
  take_signals();
  if (!words.empty() && words.front() == "cluster") {
    return millrace::run_local_cluster_command(std::span(words).subspan(1), std::cout, std::cerr);
  }
  const millrace::CommandContext context{
      .out = std::cout, .err = std::cerr, .patience = {.interrupted = [] {
                                            return interrupted != 0;
                                          }}};
  if (const auto code = millrace::run_cluster_command(words, context)) return *code;
  const bool asked = !words.empty() && (words.front() == "--help" || words.front() == "-h");
  (asked ? std::cout : std::cerr) << kHelp << millrace::cluster_command_summaries()
                                  << "\nEach tells more with --help.\n";
  return asked ? 0 : 2;
}
