#include "millrace/web/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "millrace/core/text.h"
#include "millrace/web/http_connection.h"
#include "millrace/web/http_exchange.h"

namespace millrace::detail {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kBacklog = 128;
constexpr Duration kRestAfterFailedAccept = 100ms;
constexpr int kWatchMilliseconds = 200;  // how often deadlines are looked at

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address ipv4(in_addr ip, std::uint16_t port) {
  Address address{.size = sizeof(sockaddr_in)};
  const sockaddr_in content{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = ip};
  std::memcpy(&address.storage, &content, sizeof(content));
  return address;
}

Address ipv6(const in6_addr& ip, std::uint16_t port) {
  Address address{.size = sizeof(sockaddr_in6)};
  const sockaddr_in6 content{.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = ip};
  std::memcpy(&address.storage, &content, sizeof(content));
  return address;
}

Error not_loopback(std::string_view address) {
  return unsupported(
      concat("rest.bind-address ", address,
             " can be reached from other machines, and whoever reaches it can run programs in the "
             "cluster: there is no TLS and there are no tokens for it yet. Bind it to loopback "
             "(127.0.0.1 or ::1) and reach it from elsewhere through an SSH tunnel, or set "
             "security.allow-plaintext where you trust the whole network"));
}

// What would be told to others as the leader's address is nobody's.
Error no_machine(std::string_view address) {
  return invalid_argument(concat("rest.bind-address ", address,
                                 " is every address of this machine; expected the one at which "
                                 "others reach it, as 10.0.0.1"));
}

Result<Address> address_of(const HttpServerOptions& options) {
  const std::string& text = options.address;
  in_addr four{};
  in6_addr six{};
  if (text == "localhost") return ipv4({htonl(INADDR_LOOPBACK)}, options.port);
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) {
    const bool here = ntohl(four.s_addr) >> 24 == 127;
    if (four.s_addr == htonl(INADDR_ANY)) return no_machine(text);
    if (!here && !options.beyond_loopback) return not_loopback(text);
    return ipv4(four, options.port);
  }
  if (inet_pton(AF_INET6, text.c_str(), &six) == 1) {
    if (IN6_IS_ADDR_UNSPECIFIED(&six)) return no_machine(text);
    if (!IN6_IS_ADDR_LOOPBACK(&six) && !options.beyond_loopback) return not_loopback(text);
    return ipv6(six, options.port);
  }
  return invalid_argument(concat("rest.bind-address ", in_quotes(text),
                                 " is no IP address; expected one as 127.0.0.1"));
}

Result<Descriptor> listen_at(const HttpServerOptions& options) {
  Result<Address> address = address_of(options);
  if (!address) return address.error();
  Descriptor listener(
      ::socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (listener.get() < 0 || bind(listener.get(), address->get(), address->size) != 0 ||
      listen(listener.get(), kBacklog) != 0) {
    return unavailable(concat("cannot listen for HTTP on ", options.address, " port ", options.port,
                              ": ", std::strerror(errno),
                              "; rest.port names another one, and 0 any that is free"));
  }
  return listener;
}

std::uint16_t port_of(int listener) {
  Address address{.size = sizeof(sockaddr_storage)};
  getsockname(listener, address.get(), &address.size);
  if (address.storage.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port);
}

// An answer to what never became a request.
std::string bare_answer(int status, std::string_view reason, std::string_view sentence) {
  const std::string body = refusal(status, sentence).body;
  return concat("HTTP/1.1 ", status, ' ', reason, "\r\nContent-Type: ", kJsonType,
                "\r\nContent-Length: ", body.size(), "\r\nConnection: close\r\n\r\n", body);
}

// What the server waits on.
struct Descriptors {
  Descriptor listener;
  Descriptor stop{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};  // readable for ever, once it is
  Descriptor back{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};  // connections have been answered
};

using Connections = std::list<std::unique_ptr<HttpConnection>>;

}  // namespace

class HttpServer::Implementation {
 public:
  Implementation(const HttpServerOptions& options, Answer answer, Logger log,
                 Descriptors descriptors)
      : options_(options),
        answer_(std::move(answer)),
        log_(std::move(log)),
        descriptors_(std::move(descriptors)) {
    for (std::size_t i = 0; i < options_.threads; ++i) {
      threads_.emplace_back([this] { answer_requests(); });
    }
    threads_.emplace_back([this] { watch(); });
  }

  ~Implementation() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    signal(stop_);
    for (std::thread& thread : threads_) thread.join();
  }

  std::uint16_t port() const { return port_of(listener_.get()); }

 private:
  static void signal(const Descriptor& event) {
    const std::uint64_t one = 1;
    std::ignore = write(event.get(), &one, sizeof(one));
  }

  // The thread that watches.
  void watch() {
    Connections watched;
    while (true) {
      std::vector<pollfd> polled{{stop_.get(), POLLIN, 0}, {back_.get(), POLLIN, 0}};
      const bool accepts = steady_clock::now() >= accept_after_;
      polled.push_back({accepts ? listener_.get() : -1, POLLIN, 0});
      for (const auto& connection : watched) polled.push_back({connection->socket(), POLLIN, 0});
      const bool hurries = !watched.empty() || !accepts;
      poll(polled.data(), polled.size(), hurries ? kWatchMilliseconds : -1);
      if (polled[0].revents != 0) return;
      std::size_t at = 3;
      std::erase_if(watched, [&](auto& one) { return has_left(one, polled[at++].revents != 0); });
      if (polled[1].revents != 0) take_back(watched);
      if (polled[2].revents != 0) accept_all(watched);
    }
  }

  // Whether the connection is no longer to be watched: its request is there, or it is of no use.
  bool has_left(std::unique_ptr<HttpConnection>& connection, bool has_bytes) {
    const bool idle = connection->is_idle();
    const HttpConnection::Head head = has_bytes ? connection->take_in() : connection->head();
    switch (head) {
      case HttpConnection::Head::kPart:
        return has_timed_out(*connection, idle);
      case HttpConnection::Head::kWhole:
        hand_over(std::move(connection));
        return true;
      case HttpConnection::Head::kTooLong:
        refuse(*connection, 431, "Request Header Fields Too Large",
               concat("the request's line and headers are too long; the most are ",
                      HttpConnection::kMostHead, " bytes"));
        return true;
      case HttpConnection::Head::kNoHttp:
        refuse(*connection, 400, "Bad Request", "this port speaks HTTP, and what came is none");
        return true;
      case HttpConnection::Head::kEnded:
        end_one();
        return true;
    }
    return true;
  }

  bool has_timed_out(HttpConnection& connection, bool idle) {
    const auto more = idle ? options_.idle - options_.patience : Duration(0);
    if (steady_clock::now() < connection.deadline() + more) return false;
    if (idle) {
      end_one();
    } else {
      refuse(connection, 408, "Request Timeout",
             concat("the request did not come within ", to_string(options_.patience)));
    }
    return true;
  }

  void accept_all(Connections& watched) {
    while (true) {
      const int socket = accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) {
        note_failed_accept(errno);
        return;
      }
      const int yes = 1;  // a head and its body are written one after the other
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
      auto connection = std::make_unique<HttpConnection>(socket, stop_.get(), options_.patience);
      if (open_++ < options_.connections) {
        watched.push_back(std::move(connection));
      } else {
        refuse(*connection, 503, "Service Unavailable",
               concat("there are already ", options_.connections,
                      " connections; close some, and try again"));
      }
    }
  }

  // The listener stays: whatever is wrong, such as too many open files, may pass.
  void note_failed_accept(int error) {
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ECONNABORTED) return;
    log_.warn("a connection could not be accepted", {{"error", std::strerror(error)}});
    accept_after_ = steady_clock::now() + kRestAfterFailedAccept;
  }

  // Does not wait: a client that does not read its refusal has none.
  void refuse(HttpConnection& connection, int status, std::string_view reason,
              std::string_view sentence) {
    const std::string answer = bare_answer(status, reason, sentence);
    std::ignore = send(connection.socket(), answer.data(), answer.size(), MSG_NOSIGNAL);
    shutdown(connection.socket(), SHUT_WR);
    char unread[4'096];  // or closing would take the answer with it
    for (int i = 0; i < 64 && recv(connection.socket(), unread, sizeof(unread), 0) > 0; ++i) {
    }
    end_one();
  }

  void end_one() { --open_; }

  void hand_over(std::unique_ptr<HttpConnection> connection) {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(connection));
    }
    changed_.notify_one();
  }

  void take_back(Connections& watched) {
    std::uint64_t ignored = 0;
    std::ignore = read(back_.get(), &ignored, sizeof(ignored));
    Connections back;
    {
      const std::lock_guard lock(mutex_);
      back.swap(answered_);
    }
    // The next request may have come with the one before.
    std::erase_if(back, [this](auto& connection) { return has_left(connection, false); });
    watched.splice(watched.end(), back);
  }

  // The threads that answer.
  void answer_requests() {
    HttpExchange exchange(answer_);
    while (std::unique_ptr<HttpConnection> connection = next_request()) {
      const bool more = exchange.run(*connection, stopping_) && !stopping_;
      if (!more) {
        end_one();
        continue;
      }
      connection->begin();
      {
        const std::lock_guard lock(mutex_);
        answered_.push_back(std::move(connection));
      }
      signal(back_);
    }
  }

  std::unique_ptr<HttpConnection> next_request() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopping_ || !requests_.empty(); });
    if (stopping_) return nullptr;
    std::unique_ptr<HttpConnection> connection = std::move(requests_.front());
    requests_.pop_front();
    return connection;
  }

  const HttpServerOptions options_;
  const Answer answer_;
  const Logger log_;
  const Descriptors descriptors_;
  const Descriptor& listener_ = descriptors_.listener;
  const Descriptor& stop_ = descriptors_.stop;
  const Descriptor& back_ = descriptors_.back;
  steady_clock::time_point accept_after_{};

  std::atomic<std::size_t> open_{0};  // connections
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<HttpConnection>> requests_;  // each a connection, so they are bounded
  Connections answered_;

  std::vector<std::thread> threads_;
};

HttpServer::HttpServer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options,
                                                      Answer answer, Logger log) {
  Result<Descriptor> listener = listen_at(options);
  if (!listener) return listener.error();
  Descriptors descriptors{*std::move(listener)};
  if (descriptors.stop.get() < 0 || descriptors.back.get() < 0) {
    return resource_exhausted(
        concat("no HTTP server can be started: ", std::strerror(errno), "; see ulimit -n"));
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::make_unique<Implementation>(
      options, std::move(answer), std::move(log), std::move(descriptors))));
}

std::uint16_t HttpServer::port() const { return implementation_->port(); }

}  // namespace millrace::detail
