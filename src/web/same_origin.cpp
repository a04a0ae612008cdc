#include "millrace/web/same_origin.h"

#include <arpa/inet.h>

#include <string>

namespace millrace::detail {
namespace {

// A site can make any name lead to loopback, but no address and not this name.
bool is_nobodys_name(std::string_view host) {
  if (host.starts_with('[')) return host.find(']') != std::string_view::npos;
  const std::string name(host.substr(0, host.find(':')));
  in_addr ignored{};
  return name.empty() || name == "localhost" || inet_pton(AF_INET, name.c_str(), &ignored) == 1;
}

}  // namespace

bool is_same_origin(std::string_view host, std::string_view origin) {
  if (!is_nobodys_name(host)) return false;
  return origin.empty() || origin == "http://" + std::string(host);
}

}  // namespace millrace::detail
