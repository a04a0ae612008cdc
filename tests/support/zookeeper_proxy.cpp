#include "support/zookeeper_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>
#include <vector>

namespace millrace::test {
namespace {

// A frame is its length, the request's number, and from a client the kind of request: four bytes
// each, the highest first.
constexpr std::size_t kWord = 4;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::uint32_t word_at(const std::string& bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < kWord; ++i) {
    word = word << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return word;
}

bool send_all(int socket, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t size = send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size <= 0) return false;
    sent += static_cast<std::size_t>(size);
  }
  return true;
}

}  // namespace

ZooKeeperProxy::ZooKeeperProxy(const std::string& server)
    : server_port_(std::stoi(server.substr(server.find(':') + 1))) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen on loopback");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

ZooKeeperProxy::~ZooKeeperProxy() {
  ending_ = true;
  thread_.join();
  for (const Connection& connection : connections_) {
    close(connection.client);
    close(connection.server);
  }
  close(listener_);
}

std::string ZooKeeperProxy::address() const { return "127.0.0.1:" + std::to_string(port_); }

void ZooKeeperProxy::lose_reply(Request request) {
  const std::lock_guard lock(mutex_);
  to_lose_ = request;
}

void ZooKeeperProxy::run() {
  constexpr int kLook = 10;  // milliseconds
  while (!ending_) {
    if (held_) {
      poll(nullptr, 0, kLook);
      continue;
    }
    std::vector<pollfd> sockets{{.fd = listener_, .events = POLLIN, .revents = 0}};
    for (const Connection& connection : connections_) {
      sockets.push_back({.fd = connection.client, .events = POLLIN, .revents = 0});
      sockets.push_back({.fd = connection.server, .events = POLLIN, .revents = 0});
    }
    poll(sockets.data(), sockets.size(), kLook);
    if (held_) continue;
    std::size_t at = 1;
    for (Connection& connection : connections_) {
      if (sockets[at++].revents != 0) pass_on(connection, true);
      if (sockets[at++].revents != 0 && !connection.over) pass_on(connection, false);
    }
    connections_.remove_if([](const Connection& connection) {
      if (!connection.over) return false;
      close(connection.client);
      close(connection.server);
      return true;
    });
    if (sockets[0].revents != 0) accept_one();
  }
}

void ZooKeeperProxy::accept_one() {
  Connection connection;
  connection.client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  connection.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(server_port_);
  connection.over =
      connect(connection.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
  const int yes = 1;
  setsockopt(connection.client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(connection.server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  connections_.push_back(std::move(connection));
}

void ZooKeeperProxy::pass_on(Connection& connection, bool from_client) {
  char buffer[65'536];
  const int from = from_client ? connection.client : connection.server;
  const ssize_t size = recv(from, buffer, sizeof buffer, 0);
  if (size <= 0) {
    connection.over = true;
    return;
  }
  std::string& bytes = from_client ? connection.from_client : connection.from_server;
  bytes.append(buffer, static_cast<std::size_t>(size));
  while (!connection.over && bytes.size() >= kWord && bytes.size() >= kWord + word_at(bytes, 0)) {
    const std::size_t end = kWord + word_at(bytes, 0);
    pass_frame(connection, from_client, bytes.substr(0, end));
    bytes.erase(0, end);
  }
}

void ZooKeeperProxy::pass_frame(Connection& connection, bool from_client,
                                const std::string& frame) {
  const bool greeted =
      std::exchange(from_client ? connection.client_greeted : connection.server_greeted, true);
  if (greeted && frame.size() >= 2 * kWord) {
    const std::string number = frame.substr(kWord, kWord);
    const std::lock_guard lock(mutex_);
    if (!from_client && connection.losing == number) {
      ++lost_;
      connection.over = true;
      return;
    }
    if (from_client && frame.size() >= 3 * kWord && to_lose_ &&
        word_at(frame, 2 * kWord) == static_cast<std::uint32_t>(*to_lose_)) {
      connection.losing = number;
      to_lose_.reset();
    }
  }
  connection.over = !send_all(from_client ? connection.server : connection.client, frame);
}

}  // namespace millrace::test
