// A TCP connection made without blocking: connect() is called until it says that it is there. A
// host that refuses is tried again until the deadline. Finding the host's address may wait for a
// name server, once. One thread at a time; time is the caller's.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "millrace/core/result.h"

namespace millrace {

struct TextSocketOptions {
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(30);  // with all retries
  std::chrono::milliseconds send_timeout = std::chrono::seconds(30);  // a sink's, without progress
};

}  // namespace millrace

namespace millrace::detail {

class Connection {
 public:
  Connection(std::string host, std::int64_t port, std::chrono::nanoseconds timeout);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(); }

  // Goes on connecting; false: call again after pause(). Fails once the timeout is over, counted
  // from the first call.
  Result<bool> connect(std::chrono::nanoseconds now);
  std::chrono::nanoseconds pause() const;

  bool connected() const { return state_ == State::kConnected; }
  int socket() const { return socket_; }
  void close();

  // "localhost:9999"
  std::string place() const;

 private:
  enum class State : std::uint8_t { kNew, kWaiting, kConnecting, kConnected };
  struct Address {
    int family;
    std::string bytes;  // a sockaddr of that family
  };

  Status resolve();
  Result<bool> attempt(std::chrono::nanoseconds now);
  Result<bool> check_attempt(std::chrono::nanoseconds now);
  Result<bool> attempt_failed(int error, std::chrono::nanoseconds now);
  Error timed_out() const;

  const std::string host_;
  const std::int64_t port_;
  const std::chrono::nanoseconds timeout_;
  State state_ = State::kNew;
  std::vector<Address> addresses_;
  std::size_t next_address_ = 0;
  std::chrono::nanoseconds deadline_{0};
  std::chrono::nanoseconds retry_at_{0};
  std::string last_error_;
  int socket_ = -1;
};

}  // namespace millrace::detail
