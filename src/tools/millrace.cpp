// The program `millrace`: the processes of a cluster, what asks them, and tools that need no job.
#include <signal.h>

#include <iostream>
#include <string>
#include <vector>

#include "millrace/tools/cluster_command.h"
#include "millrace/tools/coordinator_command.h"
#include "millrace/tools/local_cluster_command.h"
#include "millrace/tools/state_command.h"
#include "millrace/tools/worker_command.h"

namespace {

using Run = int (*)(std::span<const std::string> words, std::ostream& out, std::ostream& err);

struct Command {
  std::string_view name;
  std::string_view summary;
  Run run;
};

constexpr Command kCommands[] = {
    {"cluster", "  cluster      runs coordinators and workers on this machine, in the background\n",
     millrace::run_local_cluster_command},
    {"coordinator", "  coordinator  leads a cluster, or stands by\n",
     millrace::run_coordinator_command},
    {"worker", "  worker       runs parts of a cluster's jobs on this machine\n",
     millrace::run_worker_command},
    {"state", "  state        looks into savepoints and checkpoints\n",
     millrace::run_state_command},
};

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

void print_help(std::ostream& out) {
  out << "Usage: millrace COMMAND ...\n\n";
  for (const Command& command : kCommands) out << command.summary;
  out << millrace::cluster_command_summaries() << "\nEach tells more with --help.\n";
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (const Command& command : kCommands) {
    if (words.empty() || words.front() != command.name) continue;
    return command.run(std::span(words).subspan(1), std::cout, std::cerr);
  }
  take_signals();
  const millrace::CommandContext context{
      .out = std::cout, .err = std::cerr, .patience = {.interrupted = [] {
                                            return interrupted != 0;
                                          }}};
  if (const auto code = millrace::run_cluster_command(words, context)) return *code;
  const bool asked = !words.empty() && (words.front() == "--help" || words.front() == "-h");
  print_help(asked ? std::cout : std::cerr);
  return asked ? 0 : 2;
}
