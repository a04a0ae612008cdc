// Sockets for links: listening, and connecting without ever waiting. Looking up a name does wait
// and belongs on an executor; everything else returns at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "millrace/actors/links/link_events.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Closes the descriptor when it ends. Child processes do not inherit it.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket();

  int descriptor() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

// Where a name leads, as the system's calls take it.
using SocketAddresses = std::vector<std::string>;
Result<SocketAddresses> look_up(const LinkAddress& address);

// Whether only processes of this machine reach the address. A name that is not known is not.
bool is_loopback(const std::string& host);

struct Listener {
  Socket socket;
  std::uint16_t port = 0;
};
// Port 0 is any that is free. The host is an address, not a name, or "localhost".
Result<Listener> listen_on(const LinkAddress& address);

// Makes one connection, trying one address after the other.
class Dialer {
 public:
  explicit Dialer(SocketAddresses addresses) : left_(std::move(addresses)) {}

  // The connection once it stands. Nothing: ask again soon.
  Result<std::optional<Socket>> poll();

 private:
  Status try_next();

  SocketAddresses left_;
  Socket socket_;  // of the attempt that is under way
  std::optional<Error> error_;
};

// Ends a connection at once, whatever is under way, without closing the descriptor.
void reset_connection(int descriptor);

// "127.0.0.1:4711" of the other end, for messages.
std::string name_of_peer(int descriptor);

}  // namespace millrace::detail
