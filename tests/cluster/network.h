// Machines that are network namespaces of this machine, each with an address, on one bridge; any of
// them can be cut off from any other, one way or both. Nothing is left of them when the test has
// ended, however it did: the namespaces last as long as a process that is in them.
//
// The process that makes one goes to a network of its own for good, from which it reaches all
// machines, whatever is cut. It is root, or may have a namespace of users in which it is; it has no
// other thread yet. What goes wrong is thrown.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace millrace::test_support {

class Network {
 public:
  // Why there can be none here; empty if there can.
  static std::string refusal();

  explicit Network(std::vector<std::string> machines);
  ~Network();

  std::string address(const std::string& machine) const;
  // What a command's words begin with, so that it runs there as the same process.
  std::vector<std::string> on(const std::string& machine) const;

  // Loses in silence whatever the one sends to the other from now on.
  void cut(const std::string& from, const std::string& to);
  void cut_both(const std::string& one, const std::string& other);
  void heal();

 private:
  struct Machine {
    std::string name;
    std::string address;
    pid_t holder = -1;  // a process that does nothing but be there
  };
  struct Cut {
    std::string from;
    std::string to;
  };

  const Machine& machine(const std::string& name) const;

  std::vector<Machine> machines_;
  std::vector<Cut> cuts_;
};

}  // namespace millrace::test_support
