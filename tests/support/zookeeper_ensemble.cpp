#include "support/zookeeper_ensemble.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

namespace millrace::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 1min;  // with servers, on a busy machine
constexpr const char* kJava = "/usr/bin/java";
constexpr const char* kLibraries = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";

sockaddr_in address_of(const std::string& machine, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (inet_pton(AF_INET, machine.c_str(), &address.sin_addr) != 1) {
    throw std::runtime_error("no address of IPv4: " + machine);
  }
  return address;
}

class Socket {
 public:
  Socket() : number_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(number_); }
  int number() const { return number_; }

 private:
  int number_;
};

// Below those that the system gives to connections, so that it stays free while its server is down.
int free_port() {
  static std::mt19937 random{std::random_device()()};
  for (int i = 0; i < 1'000; ++i) {
    const int port = std::uniform_int_distribution(12'000, 32'000)(random);
    const Socket socket;
    const sockaddr_in address = address_of("127.0.0.1", port);
    if (bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return port;
    }
  }
  throw std::runtime_error("there is no free port for a ZooKeeper server");
}

// What a server answers to one of its words of four letters.
std::string ask(const std::string& machine, int port, std::string_view word) {
  const Socket socket;
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_in address = address_of(machine, port);
  if (connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      send(socket.number(), word.data(), word.size(), MSG_NOSIGNAL) < 0) {
    return {};
  }
  std::string answer;
  char buffer[4096];
  for (ssize_t size; (size = recv(socket.number(), buffer, sizeof buffer, 0)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(size));
  }
  return answer;
}

}  // namespace

ZooKeeperEnsemble::ZooKeeperEnsemble(std::size_t servers)
    : ZooKeeperEnsemble(std::vector<Place>(servers)) {}

ZooKeeperEnsemble::ZooKeeperEnsemble(std::vector<Place> places) : servers_(places.size()) {
  if (access(kJava, X_OK) != 0 || access("/usr/share/java/zookeeper.jar", R_OK) != 0) {
    throw std::runtime_error("ZooKeeper's server or Java is missing; run: scripts/setup test");
  }
  std::vector<std::size_t> all;
  for (Server& server : servers_) {
    server.place = std::move(places[all.size()]);
    server.client_port = free_port();
    server.quorum_port = free_port();
    server.election_port = free_port();
    all.push_back(all.size());
  }
  for (const std::size_t server : all) configure(server);
  for (const std::size_t server : all) start(server);
  await(all);
}

std::string ZooKeeperEnsemble::directory_of(std::size_t server) const {
  return directory_.path("server-" + std::to_string(server));
}

// Ticks bound the sessions that a client may ask for, and how soon a server is missed by others.
void ZooKeeperEnsemble::configure(std::size_t server) const {
  const std::string name = "server-" + std::to_string(server) + "/";
  std::string text =
      "tickTime=200\ninitLimit=25\nsyncLimit=20\nminSessionTimeout=400\n"
      "maxSessionTimeout=60000\nmaxClientCnxns=0\nadmin.enableServer=false\n"
      "4lw.commands.whitelist=*\nclientPortAddress=" +
      servers_[server].place.address +
      "\nclientPort=" + std::to_string(servers_[server].client_port) +
      "\n"
      "dataDir=" +
      directory_of(server) + "\n";
  for (std::size_t i = 0; i < servers_.size() && servers_.size() > 1; ++i) {
    text += "server." + std::to_string(i + 1) + "=" + servers_[i].place.address + ":" +
            std::to_string(servers_[i].quorum_port) + ":" +
            std::to_string(servers_[i].election_port) + "\n";
  }
  directory_.file(name + "zoo.cfg", text);
  directory_.file(name + "myid", std::to_string(server + 1));
}

// What it writes need not outlive the machine.
void ZooKeeperEnsemble::start(std::size_t server) {
  const std::string directory = directory_of(server);
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int output =
      open((directory + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  std::vector<std::string> words = servers_[server].place.prefix;
  words.insert(words.end(),
               {kJava, "-Xmx96m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData", "-Xshare:auto", "-Dzookeeper.forceSync=no",
                "-Dzookeeper.preAllocSize=64", "-Dzookeeper.jmx.log4j.disable=true",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dorg.slf4j.simpleLogger.showDateTime=true", "-cp", kLibraries,
                "org.apache.zookeeper.server.quorum.QuorumPeerMain", directory + "/zoo.cfg"});
  servers_[server].process = std::make_unique<Child>(words, input, output);
  close(input);
  close(output);
}

std::string ZooKeeperEnsemble::addresses() const {
  std::string text;
  for (std::size_t i = 0; i < servers_.size(); ++i) text += (i > 0 ? "," : "") + address(i);
  return text;
}

std::string ZooKeeperEnsemble::address(std::size_t server) const {
  return servers_[server].place.address + ":" + std::to_string(servers_[server].client_port);
}

void ZooKeeperEnsemble::kill(std::size_t server) { servers_[server].process->kill(); }

void ZooKeeperEnsemble::restart(std::size_t server) {
  kill(server);
  start(server);
}

void ZooKeeperEnsemble::stop(std::size_t server) { servers_[server].process->signal(SIGSTOP); }
void ZooKeeperEnsemble::resume(std::size_t server) { servers_[server].process->signal(SIGCONT); }

// What a server says of itself, such as its "Mode"; empty if it does not serve.
std::string ZooKeeperEnsemble::word_of(std::size_t server, std::string_view name) const {
  const std::string answer =
      ask(servers_[server].place.address, servers_[server].client_port, "srvr");
  const std::string before = std::string(name) + ": ";
  const std::size_t at = answer.find(before);
  if (at == std::string::npos) return {};
  const std::size_t word = at + before.size();
  return answer.substr(word, answer.find('\n', word) - word);
}

std::string ZooKeeperEnsemble::mode_of(std::size_t server) const { return word_of(server, "Mode"); }

std::size_t ZooKeeperEnsemble::nodes(std::size_t server) const {
  const std::string count = word_of(server, "Node count");
  if (count.empty())
    throw std::runtime_error("a ZooKeeper server does not say how many nodes it has");
  return std::stoul(count);
}

bool ZooKeeperEnsemble::serves(std::size_t server) const { return !mode_of(server).empty(); }

std::size_t ZooKeeperEnsemble::leading_server() const {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  do {
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      const std::string mode = mode_of(i);
      if (mode == "leader" || mode == "standalone") return i;
    }
  } while (std::chrono::steady_clock::now() < end);
  throw std::runtime_error("no ZooKeeper server leads the others");
}

std::string ZooKeeperEnsemble::log(std::size_t server) const {
  return directory_.read("server-" + std::to_string(server) + "/log");
}

void ZooKeeperEnsemble::await(const std::vector<std::size_t>& servers) const {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (const std::size_t server : servers) {
    while (!serves(server)) {
      if (std::chrono::steady_clock::now() > end || !servers_[server].process->runs()) {
        throw std::runtime_error("a ZooKeeper server does not serve; it says:\n" + log(server));
      }
      std::this_thread::sleep_for(20ms);
    }
  }
}

}  // namespace millrace::test
