// The program zookeeper_candidate as a process of its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "millrace/coordination/zookeeper/zookeeper_options.h"
#include "support/child.h"

namespace millrace::test {

class CandidateProcess {
 public:
  CandidateProcess(const detail::ZooKeeperOptions& options, const std::string& address);
  ~CandidateProcess();

  void signal(int number) const { process_->signal(number); }
  void kill() { process_->kill(); }
  void tell(const std::string& line) const;

  // The next line that it says and that begins so, all before it are passed over; empty if there
  // is none in time.
  std::string await_line(const std::string& start,
                         std::chrono::milliseconds patience = std::chrono::seconds(20));

 private:
  int input_ = -1;   // of the process
  int output_ = -1;  // likewise
  std::string unread_;
  std::unique_ptr<Child> process_;
};

}  // namespace millrace::test
