// A program as a child process, which a test starts, waits for and kills. It dies with the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace millrace::faults {

// How a process ended.
struct Exit {
  int status = 0;  // that it returned
  int signal = 0;  // that ended it; 0 if none did
};

struct Command {
  std::vector<std::string> words;
  std::map<std::string, std::string> variables;
  std::filesystem::path output;  // what it says goes there

  std::string text() const;  // as for a shell
};

std::string content_of(const std::filesystem::path& file);

class ChildProcess {
 public:
  explicit ChildProcess(const Command& command);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();  // kills it if it runs

  // Nothing if it still runs then. Once it has ended, always how it did.
  std::optional<Exit> wait_for(std::chrono::microseconds time);
  Exit kill();
  void signal(int number);  // unless it has ended

 private:
  Exit exit_of(int state);

  pid_t process_ = -1;
  std::optional<Exit> exit_;  // once it has ended: its number may be another process's then
};

}  // namespace millrace::faults
