#include "millrace/tools/job_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "millrace/core/sha256.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostDescription = std::size_t{16} << 20;
constexpr std::size_t kMostSaid = std::size_t{16} << 10;  // the last of what it says on its error
constexpr int kLookMilliseconds = 100;

Error no_program(std::string_view path, std::string_view what) {
  return invalid_argument(concat("PROGRAM ", in_quotes(path), ' ', what));
}

// A pipe's end, or none.
class End {
 public:
  ~End() { reset(); }
  int get() const { return descriptor_; }
  void set(int descriptor) { descriptor_ = descriptor; }
  void reset() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_ = -1;
};

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) == 0) {
      read.set(ends[0]);
      write.set(ends[1]);
    }
  }
  End read;
  End write;
};

// The program while it describes itself.
class Description {
 public:
  Status start(const std::string& path, std::span<const std::string> arguments) {
    if (output_.read.get() < 0 || errors_.read.get() < 0) {
      return resource_exhausted(concat("no pipe can be made: ", std::strerror(errno)));
    }
    std::vector<std::string> words{path, "--plan=submission"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output_.write.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors_.write.get(), STDERR_FILENO);
    // What this program ignores is the other's to decide.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    const int error =
        posix_spawn(&process_, path.c_str(), &actions, &attributes, pointers.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    output_.write.reset();
    errors_.write.reset();
    if (error == 0) return {};
    process_ = -1;
    return no_program(path, concat("cannot be run: ", std::strerror(error),
                                   error == ENOEXEC ? "; is it a program for this machine?" : ""));
  }

  ~Description() {
    if (process_ < 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }

  Status read(const std::function<bool()>& interrupted) {
    while (output_.read.get() >= 0 || errors_.read.get() >= 0) {
      if (interrupted()) return cancelled("interrupted; nothing was submitted");
      std::array<pollfd, 2> polled{
          {{output_.read.get(), POLLIN, 0}, {errors_.read.get(), POLLIN, 0}}};
      if (poll(polled.data(), polled.size(), kLookMilliseconds) <= 0) continue;
      if (polled[0].revents != 0) take(output_.read, printed);
      if (polled[1].revents != 0) take(errors_.read, said);
      if (said.size() > kMostSaid) said.erase(0, said.size() - kMostSaid);
      if (printed.size() > kMostDescription) {
        return invalid_argument(concat("it prints more than ", kMostDescription,
                                       " bytes for --plan=submission: is it a job of Millrace?"));
      }
    }
    return {};
  }

  // As waitpid() has it.
  int wait() {
    int state = 0;
    while (waitpid(process_, &state, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    return state;
  }

  std::string printed;
  std::string said;

 private:
  static void take(End& from, std::string& text) {
    std::array<char, 16'384> bytes;
    const ssize_t size = ::read(from.get(), bytes.data(), bytes.size());
    if (size > 0) {
      text.append(bytes.data(), static_cast<std::size_t>(size));
    } else if (size == 0 || errno != EINTR) {
      from.reset();
    }
  }

  pid_t process_ = -1;
  Pipe output_;
  Pipe errors_;
};

std::string how_it_ended(int state) {
  if (WIFSIGNALED(state)) {
    return concat("was ended by signal ", WTERMSIG(state), " (", strsignal(WTERMSIG(state)), ")");
  }
  return concat("ended with ", WEXITSTATUS(state));
}

}  // namespace

Result<std::string> find_program(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return no_program(path, "does not exist");
  if (fs::is_directory(status)) return no_program(path, "is a directory; name a program in it");
  if (!fs::is_regular_file(status)) return no_program(path, "is no file");
  if (access(path.c_str(), X_OK) != 0) {
    return no_program(path, concat("may not be executed: ", std::strerror(errno),
                                   "; chmod +x makes it a program, if it is one"));
  }
  return fs::absolute(path).lexically_normal().native();
}

Result<std::string> sha256_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Sha256 digest;
  std::vector<char> bytes(std::size_t{1} << 18);
  while (file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) || file.gcount() > 0) {
    digest.add({bytes.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (!file.eof()) return no_program(path, concat("cannot be read: ", std::strerror(errno)));
  return digest.take();
}

Result<std::string> describe_program(const std::string& path,
                                     std::span<const std::string> arguments,
                                     const std::function<bool()>& interrupted) {
  Description program;
  if (const Status started = program.start(path, arguments); !started) return started.error();
  if (const Status read = program.read(interrupted); !read) return read.error();
  const int state = program.wait();
  if (!WIFEXITED(state) || WEXITSTATUS(state) != 0) {
    return user_code(concat(path, " --plan=submission ", how_it_ended(state),
                            program.said.empty() ? "" : " and said:\n", program.said));
  }
  if (program.printed.empty()) {
    return user_code(concat(path,
                            " --plan=submission printed nothing: is it a job of Millrace, whose "
                            "main() returns run(...)?",
                            program.said.empty() ? "" : " It said:\n", program.said));
  }
  return std::move(program.printed);
}

}  // namespace millrace::detail
