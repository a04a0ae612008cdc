#include "millrace/launch/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace millrace {
namespace {

// A signal handler can reach nothing but a global.
std::atomic<int> received{0};

void note_signal(int signal) {
  int none = 0;
  if (!received.compare_exchange_strong(none, signal)) _exit(128 + signal);
}

void set_handler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

SignalScope::SignalScope() {
  received = 0;
  signal(SIGPIPE, SIG_IGN);  // a write then fails with an error, which names what it was about
  set_handler(note_signal);
}

SignalScope::~SignalScope() { set_handler(SIG_DFL); }

int stop_signal() { return received; }

}  // namespace millrace
