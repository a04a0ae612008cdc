#include "millrace/connectors/sockets/connection.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kBetweenAttempts = 200ms;
constexpr std::chrono::nanoseconds kBetweenLooks = 1ms;

}  // namespace

Connection::Connection(std::string host, std::int64_t port, std::chrono::nanoseconds timeout)
    : host_(std::move(host)), port_(port), timeout_(timeout) {}

std::string Connection::place() const { return concat(host_, ':', port_); }

std::chrono::nanoseconds Connection::pause() const {
  return state_ == State::kWaiting ? kBetweenAttempts : kBetweenLooks;
}

void Connection::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

Result<bool> Connection::connect(std::chrono::nanoseconds now) {
  switch (state_) {
    case State::kNew: {
      Status resolved = resolve();
      if (!resolved) return resolved.error();
      deadline_ = now + timeout_;
      return attempt(now);
    }
    case State::kWaiting:
      return now < retry_at_ ? Result<bool>(false) : attempt(now);
    case State::kConnecting:
      return check_attempt(now);
    case State::kConnected:
      break;
  }
  return true;
}

Status Connection::resolve() {
  constexpr std::int64_t kLastPort = 65'535;
  if (port_ < 1 || port_ > kLastPort) {
    return invalid_argument(
        concat("cannot connect to ", in_quotes(place()), ": a port is a number from 1 to 65535"));
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &hints, &found);
  if (error != 0) {
    return not_found(concat("cannot connect to ", in_quotes(place()),
                            ": the host is not known: ", gai_strerror(error)));
  }
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    addresses_.push_back(
        {each->ai_family, {reinterpret_cast<const char*>(each->ai_addr), each->ai_addrlen}});
  }
  freeaddrinfo(found);
  return {};
}

Result<bool> Connection::attempt(std::chrono::nanoseconds now) {
  const Address& address = addresses_[next_address_];
  socket_ = ::socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return attempt_failed(errno, now);
  const auto* to = reinterpret_cast<const sockaddr*>(address.bytes.data());
  if (::connect(socket_, to, static_cast<socklen_t>(address.bytes.size())) == 0) {
    state_ = State::kConnected;
    return true;
  }
  if (errno != EINPROGRESS) return attempt_failed(errno, now);
  state_ = State::kConnecting;
  return false;
}

Result<bool> Connection::check_attempt(std::chrono::nanoseconds now) {
  pollfd look{.fd = socket_, .events = POLLOUT, .revents = 0};
  if (::poll(&look, 1, 0) == 0) {
    if (now < deadline_) return false;
    last_error_ = std::strerror(ETIMEDOUT);
    return timed_out();
  }
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return attempt_failed(error, now);
  state_ = State::kConnected;
  return true;
}

// The next address at once; after the last one, a pause and all of them again.
Result<bool> Connection::attempt_failed(int error, std::chrono::nanoseconds now) {
  close();
  last_error_ = std::strerror(error);
  if (now >= deadline_) return timed_out();
  next_address_ = (next_address_ + 1) % addresses_.size();
  state_ = State::kWaiting;
  retry_at_ = next_address_ == 0 ? now + kBetweenAttempts : now;
  return false;
}

Error Connection::timed_out() const {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(timeout_).count();
  return unavailable(concat("cannot connect to ", in_quotes(place()), ": ", last_error_, ", after ",
                            milliseconds, " ms of trying; is a server listening there?"));
}

}  // namespace millrace::detail
