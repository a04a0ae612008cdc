#include "millrace/web/rest_server.h"

#include "millrace/core/config/options.h"
#include "millrace/core/text.h"

namespace millrace::detail {

HttpServerOptions rest_server_options(const Config& config) {
  return {.address = config.get(kRestBindAddress),
          .port = static_cast<std::uint16_t>(config.get(kRestPort)),
          .beyond_loopback = config.get(kAllowPlaintext)};
}

Result<std::unique_ptr<RestServer>> RestServer::start(ClusterControl& control,
                                                      const HttpServerOptions& options,
                                                      Logger log) {
  std::unique_ptr<RestServer> rest(new RestServer(control, options.address));
  Result<std::unique_ptr<HttpServer>> server = HttpServer::start(
      options, [&api = rest->api_](const HttpRequest& request) { return api.answer(request); },
      std::move(log));
  if (!server) return server.error();
  rest->server_ = *std::move(server);
  return rest;
}

std::string RestServer::address() const {
  const bool is_ipv6 = host_.find(':') != std::string::npos;
  return concat("http://", is_ipv6 ? "[" : "", host_, is_ipv6 ? "]" : "", ':', port());
}

}  // namespace millrace::detail
