#include "faults/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace millrace::faults {

std::string Command::text() const {
  std::string text;
  for (const auto& [name, value] : variables) text += name + "=" + value + " ";
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string content_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

ChildProcess::ChildProcess(const Command& command) {
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("cannot start a process");
  if (process_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const auto& [name, value] : command.variables) setenv(name.c_str(), value.c_str(), 1);
  const int output = open(command.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execv(words[0], words.data());
  _exit(127);
}

ChildProcess::~ChildProcess() {
  if (!exit_) kill();
}

std::optional<Exit> ChildProcess::wait_for(std::chrono::microseconds time) {
  constexpr std::chrono::microseconds kLook{500};
  const auto end = std::chrono::steady_clock::now() + time;
  while (!exit_) {
    int state = 0;
    if (waitpid(process_, &state, WNOHANG) == process_) return exit_of(state);
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return std::nullopt;
    std::this_thread::sleep_until(std::min(end, now + kLook));
  }
  return exit_;
}

Exit ChildProcess::kill() {
  if (exit_) return *exit_;
  ::kill(process_, SIGKILL);
  int state = 0;
  waitpid(process_, &state, 0);
  return exit_of(state);
}

void ChildProcess::signal(int number) {
  if (!exit_) ::kill(process_, number);
}

Exit ChildProcess::exit_of(int state) {
  exit_ = WIFSIGNALED(state) ? Exit{.signal = WTERMSIG(state)} : Exit{.status = WEXITSTATUS(state)};
  return *exit_;
}

}  // namespace millrace::faults
