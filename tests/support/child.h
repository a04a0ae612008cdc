// Another program that a test runs, and signals by its number. It dies with the thread that started
// it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace millrace::test {

class Child {
 public:
  // Its standard input, and its standard output and error, are these file descriptors.
  Child(const std::vector<std::string>& words, int input, int output);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { kill(); }

  bool runs();
  void signal(int number) const;
  void kill();  // and waits until it is gone

 private:
  pid_t process_ = -1;  // until it has ended: then its number may be another's
};

}  // namespace millrace::test
