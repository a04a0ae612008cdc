// One request and its answer on a connection: httplib reads the head and writes the answer, and
// everything between is ours. A thread has one of these for all its requests.
#pragma once

#include <memory>

#include "millrace/web/http_connection.h"
#include "millrace/web/http_server.h"

namespace millrace::detail {

class HttpExchange {
 public:
  explicit HttpExchange(const HttpServer::Answer& answer);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // The head of the request is there. Returns whether the connection can have another one.
  bool run(HttpConnection& connection, bool is_last);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace millrace::detail
