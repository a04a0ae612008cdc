#include "millrace/coordination/worker/host_processes.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "millrace/coordination/worker/worker_directory.h"
#include "millrace/core/check.h"
#include "millrace/core/text.h"
#include "millrace/core/units.h"

namespace millrace::detail {
namespace {

constexpr std::uint64_t kSaidLast = 2'048;  // bytes

bool has_ended(const ChildProcess& process) {
  pollfd handle{.fd = process.handle(), .events = POLLIN, .revents = 0};
  return poll(&handle, 1, 0) == 1;
}

}  // namespace

HostProcesses::HostProcesses(Duration patience, Ended ended)
    : patience_(patience), ended_(std::move(ended)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  check(wake_ >= 0, "a process has a descriptor for an eventfd when it begins");
  thread_ = std::thread([this] { run(); });
}

HostProcesses::~HostProcesses() {
  end_all();
  close(wake_);
}

void HostProcesses::end_all() {
  give([this] {
    ending_ = true;
    for (auto& [host, running] : running_) do_end(running);
  });
  if (thread_.joinable()) thread_.join();
}

void HostProcesses::start(HostProgram program) {
  const HostId host = program.host;
  const bool given = give([this, program = std::move(program)] { do_start(program); });
  if (!given) ended_(host, cancelled("the worker ends"));
}

void HostProcesses::end(const HostId& host) {
  give([this, host] {
    const auto found = running_.find(host);
    if (found != running_.end()) do_end(found->second);
  });
}

void HostProcesses::tell(const HostId& host, std::string line) {
  give([this, host, line = std::move(line)] {
    const auto found = running_.find(host);
    if (found != running_.end()) found->second.process.tell(line);
  });
}

bool HostProcesses::give(std::function<void()> order) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  orders_.push_back(std::move(order));
  std::ignore = eventfd_write(wake_, 1);
  return true;
}

void HostProcesses::run() {
  for (take_orders(); !is_over(); take_orders()) {
    wait();
    reap();
    kill_overdue();
  }
}

// From then on no order is taken.
bool HostProcesses::is_over() {
  const std::lock_guard lock(mutex_);
  closed_ = ending_ && running_.empty() && orders_.empty();
  return closed_;
}

void HostProcesses::take_orders() {
  std::deque<std::function<void()>> orders;
  {
    const std::lock_guard lock(mutex_);
    orders.swap(orders_);
  }
  for (const std::function<void()>& order : orders) order();
}

void HostProcesses::do_start(const HostProgram& program) {
  if (running_.contains(program.host)) return;
  if (ending_) return ended_(program.host, cancelled("the worker ends"));
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(program.program.output, none);
  Result<ChildProcess> process = ChildProcess::start(program.program);
  if (!process) return ended_(program.host, process.error());
  running_.emplace(
      program.host,
      Running{.start = program, .process = *std::move(process), .log_begin = none ? 0 : size});
}

void HostProcesses::do_end(Running& running) {
  if (running.asked) return;
  running.asked = "was stopped";
  running.kill_at = Clock::now() + patience_;
  kill(running.process.id(), SIGTERM);
}

// Until there are orders, one has ended, or one is to be killed.
void HostProcesses::wait() {
  {
    const std::lock_guard lock(mutex_);
    if (!orders_.empty()) return;
  }
  std::vector<pollfd> handles{{.fd = wake_, .events = POLLIN, .revents = 0}};
  Clock::time_point until = Clock::time_point::max();
  for (const auto& [host, running] : running_) {
    handles.push_back({.fd = running.process.handle(), .events = POLLIN, .revents = 0});
    until = std::min(until, running.kill_at);
  }
  int timeout = -1;
  if (until != Clock::time_point::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  }
  poll(handles.data(), handles.size(), timeout);
  eventfd_t ignored = 0;
  std::ignore = eventfd_read(wake_, &ignored);
}

void HostProcesses::reap() {
  for (auto next = running_.begin(); next != running_.end();) {
    const auto running = next++;
    if (!has_ended(running->second.process)) continue;
    const Error error = end_of(running->second);
    const HostId host = running->first;
    running_.erase(running);
    ended_(host, error);
  }
}

void HostProcesses::kill_overdue() {
  for (auto& [host, running] : running_) {
    if (Clock::now() < running.kill_at) continue;
    running.asked = concat("did not stop within ", millrace::to_string(patience_),
                           " of being told to, and was killed (task.cancellation.timeout)");
    running.kill_at = Clock::time_point::max();
    kill(running.process.id(), SIGKILL);
  }
}

// The group is killed while the process still has its number, so that it is nobody else's.
Error HostProcesses::end_of(Running& running) const {
  const auto id = static_cast<id_t>(running.process.id());
  siginfo_t info{};
  waitid(P_PID, id, &info, WEXITED | WNOWAIT);
  kill(-running.process.id(), SIGKILL);
  waitid(P_PID, id, &info, WEXITED);
  ProcessEnd end{.asked = running.asked};
  if (info.si_code == CLD_EXITED) {
    end.status = info.si_status;
  } else {
    end.signal = info.si_status;
  }
  const Result<CrashReport> report = read_crash_page(running.start.crash_page);
  std::error_code none;
  const std::filesystem::path& log = running.start.program.output;
  const std::uintmax_t size = std::filesystem::file_size(log, none);
  const std::uint64_t said = none || size < running.log_begin ? 0 : size - running.log_begin;
  return describe(end, report.value_or(CrashReport()), end_of_file(log, std::min(said, kSaidLast)));
}

}  // namespace millrace::detail
