#include "millrace/coordination/worker/child_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "millrace/core/text.h"
#include "millrace/state/files/file_system.h"

namespace millrace::detail {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }

  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Error no_process(std::string_view what) {
  const bool limit = errno == EAGAIN || errno == EMFILE || errno == ENFILE || errno == ENOMEM;
  const std::string message = concat("cannot start a process: ", what, ": ", strerror(errno));
  return limit ? resource_exhausted(message +
                                    "; raise the limits of processes and files, or run "
                                    "fewer jobs on this machine")
               : unavailable(message);
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return no_process("no pipe");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// What the child could not do.
enum class Step : int { kBegin, kDirectory, kExecute };
struct Failure {
  Step step;
  int error;
};

struct ChildOrder {
  const char* executable;
  char* const* arguments;
  const char* directory;
  int input;
  int output;
  int failures;
  pid_t parent;
};

void fail(const ChildOrder& order, Step step) {
  const Failure failure{step, errno};
  [[maybe_unused]] const ssize_t written = write(order.failures, &failure, sizeof failure);
  _exit(127);
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Runs in the child, where other threads may have held any lock: system calls only.
[[noreturn]] void become_program(const ChildOrder& order) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || setpgid(0, 0) != 0) fail(order, Step::kBegin);
  if (getppid() != order.parent) _exit(127);  // the parent died before it was bound to it
  reset_signals();
  if (dup2(order.input, STDIN_FILENO) < 0 || dup2(order.output, STDOUT_FILENO) < 0 ||
      dup2(order.output, STDERR_FILENO) < 0) {
    fail(order, Step::kBegin);
  }
  // Not every library opens its files so that they close here.
  if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) fail(order, Step::kBegin);
  if (chdir(order.directory) != 0) fail(order, Step::kDirectory);
  execv(order.executable, order.arguments);
  fail(order, Step::kExecute);
  _exit(127);
}

// The C library's own has no C linkage in Debian 12.
int handle_of(pid_t process) { return static_cast<int>(syscall(SYS_pidfd_open, process, 0)); }

std::string machine() {
  utsname name{};
  return uname(&name) == 0 ? name.machine : "unknown";
}

Error error_of(const Failure& failure, const ProgramStart& program) {
  errno = failure.error;
  const std::string executable = in_quotes(program.executable.native());
  switch (failure.step) {
    case Step::kBegin:
      break;
    case Step::kDirectory:
      return invalid_argument(concat("cannot enter ", in_quotes(program.directory.native()), ": ",
                                     strerror(failure.error),
                                     "; the job was submitted there, and its relative paths begin "
                                     "there: each machine of the cluster must have it"));
    case Step::kExecute:
      if (failure.error == ENOEXEC || failure.error == ENOENT) {
        return invalid_argument(
            concat(executable, " is no program that this machine (", machine(),
                   ") can run, or its interpreter or loader is missing: ", strerror(failure.error),
                   "; submit an executable that was built for it"));
      }
      if (failure.error == EACCES) {
        return invalid_argument(concat("this user may not run ", executable,
                                       ": is the worker's directory on a disk that is mounted "
                                       "without exec?"));
      }
      return unavailable(concat("cannot run ", executable, ": ", strerror(failure.error)));
  }
  return no_process("the child could not begin");
}

}  // namespace

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : id_(std::exchange(other.id_, -1)),
      handle_(std::exchange(other.handle_, -1)),
      input_(std::exchange(other.input_, -1)) {}

ChildProcess::~ChildProcess() {
  if (handle_ >= 0) close(handle_);
  if (input_ >= 0) close(input_);
}

// Whole, or not at all: a line is shorter than what a pipe takes in one piece.
void ChildProcess::tell(std::string_view line) const {
  std::ignore = write(input_, line.data(), line.size());
}

Result<ChildProcess> ChildProcess::start(const ProgramStart& program) {
  Result<Pipe> input = make_pipe();
  if (!input) return input.error();
  fcntl(input->write.get(), F_SETFL, O_NONBLOCK);  // a child that stands still holds nobody up
  Result<Pipe> failures = make_pipe();
  if (!failures) return failures.error();
  const Descriptor output(
      open(program.output.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (output.get() < 0) return file_error("write what the job says to", program.output, errno);

  std::vector<char*> arguments{const_cast<char*>(program.executable.c_str())};
  for (const std::string& argument : program.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const ChildOrder order{.executable = program.executable.c_str(),
                         .arguments = arguments.data(),
                         .directory = program.directory.c_str(),
                         .input = input->read.get(),
                         .output = output.get(),
                         .failures = failures->write.get(),
                         .parent = getpid()};
  const pid_t child = fork();
  if (child < 0) return no_process("fork");
  if (child == 0) become_program(order);

  failures->write = Descriptor();
  Failure failure{};
  ssize_t told = 0;
  do {
    told = read(failures->read.get(), &failure, sizeof failure);
  } while (told < 0 && errno == EINTR);
  Descriptor handle(handle_of(child));
  if (told == 0 && handle.get() >= 0) {
    return ChildProcess(child, handle.release(), input->write.release());
  }
  const Error error = told > 0 ? error_of(failure, program) : no_process("no handle of it");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return error;
}

}  // namespace millrace::detail
