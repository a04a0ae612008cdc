// Serves HTTP: takes connections in, reads requests, and has each answered by a function.
//
// One thread watches all connections until the head of a request is there, so that slow and silent
// clients cost no more than a socket; a fixed number of others read bodies and answer. So what is
// slow bounds what is slow: at most `threads` bodies and answers. Connections beyond `connections`
// are answered 503.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "millrace/core/log.h"
#include "millrace/core/result.h"
#include "millrace/core/time.h"
#include "millrace/web/http.h"

namespace millrace::detail {

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // an IP address, or localhost
  std::uint16_t port = 0;             // 0: any that is free
  bool beyond_loopback = false;       // whether other machines may reach it
  std::size_t threads = 16;
  std::size_t connections = 256;
  Duration patience = std::chrono::seconds(10);  // with a message, see HttpConnection
  Duration idle = std::chrono::seconds(30);      // between two requests
};

class HttpServer {
 public:
  // Called by any of the threads, several at once. It may not throw.
  using Answer = std::function<HttpAnswer(const HttpRequest&)>;

  static Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options, Answer answer,
                                                   Logger log);
  ~HttpServer();  // once the answers that are being made have been given
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;

 private:
  class Implementation;
  explicit HttpServer(std::unique_ptr<Implementation> implementation);

  std::unique_ptr<Implementation> implementation_;
};

}  // namespace millrace::detail
