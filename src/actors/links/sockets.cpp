#include "millrace/actors/links/sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

Error failed(std::string_view what) {
  return unavailable(concat(what, ": ", std::strerror(errno)));
}

const sockaddr* pointer_to(const std::string& address) {
  return reinterpret_cast<const sockaddr*>(address.data());
}

Result<SocketAddresses> look_up(const LinkAddress& address, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) {
    return not_found(concat("looking up ", in_quotes(address.host), ": ", gai_strerror(error)));
  }
  SocketAddresses addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    addresses.emplace_back(reinterpret_cast<const char*>(one->ai_addr), one->ai_addrlen);
  }
  freeaddrinfo(found);
  return addresses;
}

Result<Socket> make_socket(const std::string& address) {
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  Socket made(socket(pointer_to(address)->sa_family, type, 0));
  if (made.descriptor() < 0) return failed("opening a socket");
  return made;
}

Result<std::uint16_t> port_of(const Socket& bound) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(bound.descriptor(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return failed("asking for the bound port");
  }
  char port[NI_MAXSERV] = "0";
  getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, nullptr, 0, port, sizeof port,
              NI_NUMERICSERV);
  return static_cast<std::uint16_t>(std::stoi(port));
}

bool is_every_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    return reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr == htonl(INADDR_ANY);
  }
  const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  const bool rest_is_zero = six.s6_addr32[3] == 0;
  return IN6_IS_ADDR_UNSPECIFIED(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && rest_is_zero);
}

std::string text_of(const std::string& address) {
  char text[NI_MAXHOST] = "";
  getnameinfo(pointer_to(address), static_cast<socklen_t>(address.size()), text, sizeof text,
              nullptr, 0, NI_NUMERICHOST);
  return text;
}

Error no_address_to_listen_on(std::string_view why) {
  return invalid_argument(concat(why,
                                 "; expected the address at which others reach this machine, as "
                                 "10.0.0.1, in jobmanager.bind-host or taskmanager.bind-host"));
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<SocketAddresses> look_up(const LinkAddress& address) { return look_up(address, 0); }

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  const Result<SocketAddresses> addresses = look_up({host, 0}, AI_NUMERICHOST);
  if (!addresses) return false;
  const std::string text = text_of(addresses->front());
  return text.starts_with("127.") || text == "::1";
}

Result<Listener> listen_on(const LinkAddress& address) {
  const LinkAddress wanted{address.host == "localhost" ? "127.0.0.1" : address.host, address.port};
  const std::string where = concat("listening on ", to_string(address));
  const Result<SocketAddresses> addresses = look_up(wanted, AI_PASSIVE | AI_NUMERICHOST);
  if (!addresses) return no_address_to_listen_on("it is no IP address").with_context(where);
  const std::string& place = addresses->front();
  if (is_every_address(*pointer_to(place))) {  // which would be told to others as ours
    return no_address_to_listen_on("it is every address of this machine").with_context(where);
  }
  Result<Socket> made = make_socket(place);
  if (!made) return made.error().with_context(where);
  const int on = 1;
  setsockopt(made->descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(made->descriptor(), pointer_to(place), static_cast<socklen_t>(place.size())) != 0 ||
      listen(made->descriptor(), SOMAXCONN) != 0) {
    return failed(where);
  }
  const Result<std::uint16_t> port = port_of(*made);
  if (!port) return port.error().with_context(where);
  return Listener{*std::move(made), *port};
}

Result<std::optional<Socket>> Dialer::poll() {
  while (socket_.descriptor() < 0) {
    if (left_.empty()) return error_ ? *error_ : not_found("the name leads to no address");
    if (Status tried = try_next(); !tried) error_ = tried.error();
  }
  pollfd waiting{.fd = socket_.descriptor(), .events = POLLOUT, .revents = 0};
  if (::poll(&waiting, 1, 0) == 0) return std::optional<Socket>();
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return std::optional<Socket>(std::exchange(socket_, Socket()));
  error_ = unavailable(std::strerror(error));
  socket_ = Socket();
  return std::optional<Socket>();
}

Status Dialer::try_next() {
  const std::string address = std::move(left_.front());
  left_.erase(left_.begin());
  Result<Socket> made = make_socket(address);
  if (!made) return made.error();
  const auto size = static_cast<socklen_t>(address.size());
  if (connect(made->descriptor(), pointer_to(address), size) != 0 && errno != EINPROGRESS) {
    return unavailable(std::strerror(errno));
  }
  socket_ = *std::move(made);
  return {};
}

void reset_connection(int descriptor) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  shutdown(descriptor, SHUT_RDWR);
}

std::string name_of_peer(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char host[NI_MAXHOST] = "";
  char port[NI_MAXSERV] = "";
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host, sizeof host, port,
                  sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "an address that is gone";
  }
  return concat(host, ":", port);
}

}  // namespace millrace::detail
