// Stands between a client and a ZooKeeper server, and loses what a network loses: the reply to a
// request that was done, with the connection, or everything in silence.
//
// It works on a thread of its own; a test may call it at any time.
#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace millrace::test {

class ZooKeeperProxy {
 public:
  // As the protocol numbers them.
  enum class Request : int { kCreate = 1, kRead = 4, kSync = 9, kCommit = 14 };

  explicit ZooKeeperProxy(const std::string& server);  // host:port
  ~ZooKeeperProxy();

  std::string address() const;

  // The next request of that kind is done, and instead of its reply the connection is lost.
  void lose_reply(Request request);
  int lost() const { return lost_; }  // replies

  // Until release() nothing passes, and no connection is lost.
  void hold() { held_ = true; }
  void release() { held_ = false; }

 private:
  struct Connection {
    int client = -1;
    int server = -1;
    std::string from_client;  // a frame's beginning
    std::string from_server;
    bool client_greeted = false;  // its first frame has another form
    bool server_greeted = false;
    std::optional<std::string> losing;  // the number of the request whose reply is lost
    bool over = false;
  };

  void run();
  void accept_one();
  void pass_on(Connection& connection, bool from_client);
  void pass_frame(Connection& connection, bool from_client, const std::string& frame);

  int listener_ = -1;
  int port_ = 0;
  int server_port_ = 0;
  std::atomic<bool> held_ = false;
  std::atomic<bool> ending_ = false;
  std::atomic<int> lost_ = 0;
  std::mutex mutex_;
  std::optional<Request> to_lose_;
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace millrace::test
