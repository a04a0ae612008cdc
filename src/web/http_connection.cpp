#include "millrace/web/http_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace millrace::detail {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kBytesPerSecond = std::size_t{64} << 10;  // at least
constexpr std::size_t kMostLingering = std::size_t{16} << 20;
constexpr Duration kLingering = 2s;

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

int milliseconds_until(HttpConnection::SteadyTime time) {
  const auto left = std::chrono::ceil<Duration>(time - steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

}  // namespace

HttpConnection::HttpConnection(int socket, int stop, Duration patience)
    : socket_(socket), stop_(stop), patience_(patience), begun_(steady_clock::now()) {}

HttpConnection::~HttpConnection() { close(socket_); }

void HttpConnection::begin() {
  begun_ = steady_clock::now();
  moved_ = 0;
}

HttpConnection::SteadyTime HttpConnection::deadline() const {
  return begun_ + patience_ + std::chrono::seconds(moved_ / kBytesPerSecond);
}

HttpConnection::Head HttpConnection::take_in() {
  std::array<char, 4'096> bytes;
  while (head() == Head::kPart) {
    const ssize_t size = recv(socket_, bytes.data(), bytes.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && would_block()) return Head::kPart;
    if (size <= 0) return Head::kEnded;
    if (is_idle()) begin();
    buffer_.erase(0, std::exchange(used_, 0));
    buffer_.append(bytes.data(), static_cast<std::size_t>(size));
  }
  return head();
}

HttpConnection::Head HttpConnection::head() const {
  const std::string_view bytes = unused();
  if (bytes.empty()) return Head::kPart;
  // Methods are written in capitals; a TLS handshake or another protocol need not be waited for.
  if (bytes.front() < 'A' || bytes.front() > 'Z') return Head::kNoHttp;
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end != std::string::npos && end <= kMostHead) return Head::kWhole;
  return bytes.size() > kMostHead ? Head::kTooLong : Head::kPart;
}

std::ptrdiff_t HttpConnection::read(char* bytes, std::size_t size) {
  if (const std::string_view unread = unused(); !unread.empty()) {
    const std::size_t taken = std::min(size, unread.size());
    std::memcpy(bytes, unread.data(), taken);
    used_ += taken;
    return static_cast<std::ptrdiff_t>(taken);
  }
  while (wait(POLLIN)) {
    const ssize_t read = recv(socket_, bytes, size, 0);
    if (read >= 0) {
      moved_ += static_cast<std::size_t>(read);
      return read;
    }
    if (!would_block() && errno != EINTR) return -1;
  }
  return -1;
}

bool HttpConnection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written >= 0) {
      moved_ += static_cast<std::size_t>(written);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && (!would_block() || !wait(POLLOUT))) {
      return false;
    }
  }
  return true;
}

void HttpConnection::linger() {
  shutdown(socket_, SHUT_WR);
  begun_ = steady_clock::now() + kLingering - patience_;
  std::array<char, 16'384> bytes;
  for (std::size_t dropped = 0; dropped < kMostLingering; dropped += bytes.size()) {
    moved_ = 0;  // what is dropped earns no more time
    if (read(bytes.data(), bytes.size()) <= 0) return;
  }
}

bool HttpConnection::wait(short events) {
  // An answer is still written when the server stops; nothing more is read then.
  std::array<pollfd, 2> watched{{{socket_, events, 0}, {stop_, POLLIN, 0}}};
  const nfds_t count = events == POLLIN ? 2 : 1;
  while (true) {
    const int left = milliseconds_until(deadline());
    if (left == 0) return false;
    const int ready = poll(watched.data(), count, left);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    return count == 1 || watched[1].revents == 0;
  }
}

}  // namespace millrace::detail
