#include "millrace/launch/signals.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace millrace {
namespace {

// A signal handler can reach nothing but a global.
std::atomic<int> received{0};

std::atomic<std::int64_t> received_at{0};

std::atomic<int> savepoints_asked{0};

// A second signal ends the program at once. What comes with the first does not count: `timeout`
// signals the program and then its whole group.
constexpr std::int64_t kOneStop = 500'000'000;

std::int64_t nanoseconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

void note_signal(int signal) {
  int none = 0;
  if (received.compare_exchange_strong(none, signal)) {
    received_at = nanoseconds_now();
  } else if (received_at != 0 && nanoseconds_now() > received_at + kOneStop) {
    _exit(128 + signal);
  }
}

void note_savepoint(int) { ++savepoints_asked; }

void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  if (signal == SIGUSR1) action.sa_flags = SA_RESTART;  // the job goes on
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

SignalScope::SignalScope() {
  received = 0;
  received_at = 0;
  signal(SIGPIPE, SIG_IGN);  // a write then fails with an error, which names what it was about
  savepoints_asked = 0;
  set_handler(SIGINT, note_signal);
  set_handler(SIGTERM, note_signal);
  set_handler(SIGUSR1, note_savepoint);
}

SignalScope::~SignalScope() {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) set_handler(signal, SIG_DFL);
}

int stop_signal() { return received; }

int savepoint_signals() { return savepoints_asked; }

}  // namespace millrace
