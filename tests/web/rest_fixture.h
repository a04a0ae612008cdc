// A server over a cluster in memory, and raw connections to it.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

#include "millrace/web/rest_server.h"
#include "support/memory_cluster_control.h"

namespace millrace::test_support {

// A socket on which a test says what it likes.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(socket_); }

  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  void end() { shutdown(socket_, SHUT_WR); }

  // All that comes until the server closes the connection, or until it has been silent for so long.
  std::string read_all(std::chrono::milliseconds silence = std::chrono::seconds(10)) {
    std::string text;
    char bytes[4'096];
    pollfd polled{socket_, POLLIN, 0};
    while (poll(&polled, 1, static_cast<int>(silence.count())) > 0) {
      const ssize_t size = recv(socket_, bytes, sizeof(bytes), 0);
      if (size <= 0) break;
      text.append(bytes, static_cast<std::size_t>(size));
    }
    return text;
  }

 private:
  int socket_;
  bool connected_ = false;
};

class RestTest : public testing::Test {
 protected:
  void start(detail::HttpServerOptions options = {}) {
    auto started = detail::RestServer::start(control_, options, Logger());
    ASSERT_TRUE(started) << started.error().message();
    server_ = *std::move(started);
  }
  void SetUp() override { start(); }

  test::MemoryClusterControl control_;
  std::unique_ptr<detail::RestServer> server_;
};

}  // namespace millrace::test_support
