// Real ZooKeeper servers, on loopback unless it is said where, on ports that were free, with their
// data in a temporary directory, for tests of whole clusters. What goes wrong while they start is
// thrown: without them there is no test. They end with this, by their process numbers, and with the
// thread that made it.
//
// One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/child.h"
#include "support/temporary_directory.h"

namespace millrace::test {

class ZooKeeperEnsemble {
 public:
  // A machine's address, and the words by which a command runs there.
  struct Place {
    std::string address = "127.0.0.1";
    std::vector<std::string> prefix = {};
  };

  // They are up when this returns. Three are the fewest that go on without one.
  explicit ZooKeeperEnsemble(std::size_t servers = 3);
  explicit ZooKeeperEnsemble(std::vector<Place> places);  // a server at each of them

  std::string addresses() const;  // host:port,host:port
  std::string address(std::size_t server) const;

  void kill(std::size_t server);
  void restart(std::size_t server);    // one that was killed, with its data
  void stop(std::size_t server);       // SIGSTOP
  void resume(std::size_t server);     // SIGCONT
  std::size_t leading_server() const;  // waits for one; which it is may change at any time
  // Whether it answers, and has a quorum behind it.
  bool serves(std::size_t server) const;
  std::size_t nodes(std::size_t server) const;  // that it has
  std::string log(std::size_t server) const;
  // Throws if one does not within a minute.
  void await(const std::vector<std::size_t>& servers) const;

 private:
  struct Server {
    Place place;
    int client_port = 0;
    int quorum_port = 0;
    int election_port = 0;
    std::unique_ptr<Child> process;
  };

  void configure(std::size_t server) const;
  void start(std::size_t server);
  std::string directory_of(std::size_t server) const;
  std::string word_of(std::size_t server, std::string_view name) const;
  std::string mode_of(std::size_t server) const;  // as it calls it; empty if it does not serve

  TemporaryDirectory directory_;
  std::vector<Server> servers_;
};

}  // namespace millrace::test
