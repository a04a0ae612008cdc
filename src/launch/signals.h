// SIGINT and SIGTERM ask the job to stop; a second one ends the process at once. SIGUSR1 asks for
// a savepoint. A broken pipe is an error of whoever writes to it.
#pragma once

namespace millrace {

// While it lives, the three signals are noted instead of ending the process.
class SignalScope {
 public:
  SignalScope();
  ~SignalScope();
  SignalScope(const SignalScope&) = delete;
  SignalScope& operator=(const SignalScope&) = delete;
};

// The signal that came; 0 if none did.
int stop_signal();

// How often a savepoint was asked for.
int savepoint_signals();

}  // namespace millrace
