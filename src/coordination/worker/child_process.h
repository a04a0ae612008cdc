// Starts another program, so that it cannot outlive whoever started it: it is killed with the
// thread that did (that thread must live as long as the program may), and its standard input ends
// with the process that has the other end. It is in a process group of its own, with what it starts
// itself; no file of this process is open in it, and no signal ignored or blocked.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/result.h"

namespace millrace::detail {

struct ProgramStart {
  std::filesystem::path executable;
  std::vector<std::string> arguments;  // without its name
  std::filesystem::path directory;     // in which it begins
  std::filesystem::path output;        // its standard output and error are appended there
};

// Owns the ends of both descriptors, not the process: whoever has it waits for its end.
class ChildProcess {
 public:
  // Returns once the program runs, or could not be run: then nothing is left of it.
  static Result<ChildProcess> start(const ProgramStart& program);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  pid_t id() const { return id_; }
  int handle() const { return handle_; }  // becomes readable when the process has ended
  // On its standard input, if it takes it at once.
  void tell(std::string_view line) const;

 private:
  ChildProcess(pid_t id, int handle, int input) : id_(id), handle_(handle), input_(input) {}

  pid_t id_;
  int handle_;
  int input_;
};

}  // namespace millrace::detail
