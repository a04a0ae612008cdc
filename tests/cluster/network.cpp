#include "cluster/network.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <stdexcept>

#include "millrace/core/text.h"

namespace millrace::test_support {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kEnter = "/usr/bin/nsenter";
constexpr const char* kNobody = "02:00:00:00:00:00";  // an Ethernet address that no machine has

int status_of(const Words& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDOUT_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int state = 0;
  if (child < 0 || waitpid(child, &state, 0) != child || !WIFEXITED(state)) return -1;
  return WEXITSTATUS(state);
}

void run(const Words& words) {
  if (status_of(words) == 0) return;
  std::string text;
  for (const std::string& word : words) text += " " + word;
  throw std::runtime_error("cannot make a network:" + text);
}

Words ip(const Words& prefix, const Words& words) {
  Words all = prefix;
  all.push_back("ip");
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

// As whoever it is outside, root inside.
bool become_root() {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (unshare(CLONE_NEWUSER) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
  std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
  return geteuid() == 0;
}

std::string enter_network() {
  if (status_of({"ip", "link", "show", "lo"}) != 0) {
    return "the command ip is missing; run: scripts/setup test";
  }
  if ((geteuid() != 0 && !become_root()) || unshare(CLONE_NEWNET) != 0) {
    return "this user may make no network namespaces; run it as root";
  }
  if (status_of({"ip", "link", "set", "lo", "up"}) != 0 ||
      status_of({"ip", "link", "add", "bridge", "type", "bridge"}) != 0 ||
      status_of({"ip", "addr", "add", "10.77.0.254/24", "dev", "bridge"}) != 0 ||
      status_of({"ip", "link", "set", "bridge", "up"}) != 0) {
    return "the system has no bridges";
  }
  return {};
}

pid_t hold_namespace() {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  const pid_t holder = fork();
  if (holder == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWNET) != 0) _exit(1);
    if (write(ready[1], "r", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  char word = 0;
  const bool is_ready = holder > 0 && read(ready[0], &word, 1) == 1;
  close(ready[0]);
  if (!is_ready) throw std::runtime_error("cannot make a network namespace");
  return holder;
}

}  // namespace

std::string Network::refusal() {
  static const std::string kRefusal = enter_network();
  return kRefusal;
}

Network::Network(std::vector<std::string> machines) {
  if (const std::string why = refusal(); !why.empty()) throw std::runtime_error(why);
  for (std::string& name : machines) {
    const std::string number = std::to_string(machines_.size() + 1);
    machines_.push_back({std::move(name), "10.77.0." + number, hold_namespace()});
    const std::string outside = concat("m", machines_.back().holder);
    run(ip({}, {"link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns",
                std::to_string(machines_.back().holder)}));
    run(ip({}, {"link", "set", outside, "master", "bridge", "up"}));
    const Words there = on(machines_.back().name);
    run(ip(there, {"link", "set", "lo", "up"}));
    run(ip(there, {"addr", "add", machines_.back().address + "/24", "dev", "eth0"}));
    run(ip(there, {"link", "set", "eth0", "up"}));
  }
}

Network::~Network() {
  for (const Machine& machine : machines_) {
    kill(machine.holder, SIGKILL);
    waitpid(machine.holder, nullptr, 0);
  }
}

std::string Network::address(const std::string& name) const { return machine(name).address; }

std::vector<std::string> Network::on(const std::string& name) const {
  return {kEnter, concat("--net=/proc/", machine(name).holder, "/ns/net"), "--"};
}

// The sender is told that the receiver's card has an address that none has.
void Network::cut(const std::string& from, const std::string& to) {
  run(ip(on(from),
         {"neigh", "replace", address(to), "lladdr", kNobody, "dev", "eth0", "nud", "permanent"}));
  cuts_.push_back({from, to});
}

void Network::cut_both(const std::string& one, const std::string& other) {
  cut(one, other);
  cut(other, one);
}

void Network::heal() {
  for (const Cut& cut : cuts_) {
    run(ip(on(cut.from), {"neigh", "del", address(cut.to), "dev", "eth0"}));
  }
  cuts_.clear();
}

const Network::Machine& Network::machine(const std::string& name) const {
  const auto found = std::ranges::find(machines_, name, &Machine::name);
  if (found == machines_.end()) throw std::runtime_error("no machine is called " + name);
  return *found;
}

}  // namespace millrace::test_support
