// Serves the REST interface of a cluster.
//
// It refuses to be reached from other machines unless the configuration allows that: there is
// neither TLS nor a token yet, and whoever reaches it can run programs. `control` is called by
// several threads and outlives the server, whose end waits for answers that are being made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "millrace/coordination/cluster_control.h"
#include "millrace/core/config/config.h"
#include "millrace/core/log.h"
#include "millrace/core/result.h"
#include "millrace/web/http_server.h"
#include "millrace/web/rest_api.h"

namespace millrace::detail {

// rest.bind-address, rest.port and security.allow-plaintext.
HttpServerOptions rest_server_options(const Config& config);

class RestServer {
 public:
  static Result<std::unique_ptr<RestServer>> start(ClusterControl& control,
                                                   const HttpServerOptions& options, Logger log);

  std::uint16_t port() const { return server_->port(); }
  std::string address() const;  // as http://127.0.0.1:8081

 private:
  RestServer(ClusterControl& control, std::string host)
      : api_(control, clock_), host_(std::move(host)) {}

  const SystemClock clock_;
  const RestApi api_;
  const std::string host_;
  std::unique_ptr<HttpServer> server_;  // the first to end
};

}  // namespace millrace::detail
