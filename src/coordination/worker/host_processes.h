// The processes of a worker's hosts. One thread, which lives as long as this, starts them, since
// they die with the thread that did, and waits for their ends.
//
// A host ends by itself, or when it is told to: then it gets SIGTERM, and SIGKILL if it is still
// there when the patience is over. What it has started itself is killed with it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "millrace/coordination/worker/child_process.h"
#include "millrace/coordination/worker/process_end.h"
#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/time.h"

namespace millrace::detail {

struct HostProgram {
  HostId host;
  ProgramStart program;
  std::filesystem::path crash_page;  // that it may make
};

class HostProcesses {
 public:
  // Called once for each host that was to be started, with the reason, from any thread.
  using Ended = std::function<void(const HostId&, const Error&)>;

  HostProcesses(Duration patience, Ended ended);
  ~HostProcesses();

  void start(HostProgram program);
  void end(const HostId& host);                     // none is well
  void tell(const HostId& host, std::string line);  // on its standard input, likewise
  // Ends all, and waits until they are gone. Nothing can be started any more.
  void end_all();

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    HostProgram start;
    ChildProcess process;
    std::uintmax_t log_begin = 0;  // what it says begins there
    std::optional<std::string> asked = {};
    Clock::time_point kill_at = Clock::time_point::max();
  };

  bool give(std::function<void()> order);  // false: it has ended
  void run();
  bool is_over();
  void take_orders();
  void do_start(const HostProgram& program);
  void do_end(Running& running);
  void wait();
  void reap();
  void kill_overdue();
  Error end_of(Running& running) const;

  const Duration patience_;
  const Ended ended_;
  const int wake_;  // readable when there are orders
  std::mutex mutex_;
  std::deque<std::function<void()>> orders_;
  bool closed_ = false;
  bool ending_ = false;  // of the thread, as what follows
  std::map<HostId, Running> running_;
  std::thread thread_;
};

}  // namespace millrace::detail
