#include "millrace/web/http_exchange.h"

#include <httplib.h>

#include <algorithm>
#include <charconv>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kPart = std::size_t{64} << 10;

// The connection as httplib sees it.
class Stream final : public httplib::Stream {
 public:
  explicit Stream(HttpConnection& connection) : connection_(connection) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* bytes, std::size_t size) override { return connection_.read(bytes, size); }
  ssize_t write(const char* bytes, std::size_t size) override {
    return connection_.write({bytes, size}) ? static_cast<ssize_t>(size) : -1;
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return connection_.socket(); }

 private:
  HttpConnection& connection_;
};

// None if it comes in chunks, or says its size in a way that cannot be one.
std::optional<std::uint64_t> body_size(const httplib::Request& request) {
  if (request.has_header("Transfer-Encoding")) return std::nullopt;
  if (!request.has_header("Content-Length")) return 0;
  const std::string text = request.get_header_value("Content-Length");
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || request.get_header_value_count("Content-Length") > 1) return std::nullopt;
  return size;
}

// What httplib finds wrong before anybody is asked.
std::string_view sentence_of(int status) {
  switch (status) {
    case 400:
      return "this is no HTTP request: expected a line such as GET /jobs HTTP/1.1, and headers";
    case 414:
      return "the path of the request is too long; the most are 8,192 bytes";
    case 416:
      return "the range that the request asks for cannot be read";
    default:
      return "the request could not be answered";
  }
}

}  // namespace

class HttpExchange::Implementation final : private httplib::Server {
 public:
  explicit Implementation(const HttpServer::Answer& answer) : answer_(answer) {
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      serve(request, response);
      return HandlerResponse::Handled;
    });
    set_expect_100_continue_handler(
        [](const httplib::Request&, httplib::Response&) { return 100; });
    set_error_handler(Handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty()) return;
      response.set_content(refusal(response.status, sentence_of(response.status)).body,
                           std::string(kJsonType));
    }));
    set_keep_alive_timeout(30);
    set_keep_alive_max_count(1'000);
  }

  bool run(HttpConnection& connection, bool is_last) {
    Stream stream(connection);
    connection_ = &connection;
    served_ = false;
    left_of_body_ = 0;
    bool closed = is_last;
    connection.begin();
    const bool well = process_request(stream, is_last, closed, nullptr);
    connection_ = nullptr;
    if (well && served_ && left_of_body_ == 0) return !closed;
    connection.linger();
    return false;
  }

 private:
  void serve(const httplib::Request& request, httplib::Response& response) {
    served_ = true;
    const HttpAnswer answer = answer_(read(request));
    response.status = answer.status;
    response.set_content(answer.body, answer.type);
    for (const auto& [name, value] : answer.headers) response.set_header(name, value);
    connection_->begin();  // the time of the request was its own
    // What is left of the body stands where the next request would.
    if (left_of_body_ > 0) response.set_header("Connection", "close");
  }

  HttpRequest read(const httplib::Request& request) {
    HttpRequest read{.method = request.method,
                     .path = request.path,
                     .target = request.target,
                     .parameters = {request.params.begin(), request.params.end()},
                     .host = request.get_header_value("Host"),
                     .origin = request.get_header_value("Origin"),
                     .body_size = body_size(request),
                     .next_part = [this] { return next_part(); }};
    size_of_body_ = read.body_size.value_or(std::numeric_limits<std::uint64_t>::max());
    left_of_body_ = size_of_body_;
    return read;
  }

  Result<std::string> next_part() {
    std::string part(std::min<std::uint64_t>(left_of_body_, kPart), '\0');
    if (part.empty()) return part;
    const std::ptrdiff_t size = connection_->read(part.data(), part.size());
    if (size <= 0) {
      return invalid_argument(concat(
          "the body of the request ", size == 0 ? "ended" : "came too slowly, or was broken off,",
          " after ", size_of_body_ - left_of_body_, " of ", size_of_body_, " bytes"));
    }
    part.resize(static_cast<std::size_t>(size));
    left_of_body_ -= part.size();
    return part;
  }

  const HttpServer::Answer& answer_;
  // Of the request at hand.
  HttpConnection* connection_ = nullptr;
  bool served_ = false;
  std::uint64_t size_of_body_ = 0;
  std::uint64_t left_of_body_ = 0;
};

HttpExchange::HttpExchange(const HttpServer::Answer& answer)
    : implementation_(std::make_unique<Implementation>(answer)) {}
HttpExchange::~HttpExchange() = default;

bool HttpExchange::run(HttpConnection& connection, bool is_last) {
  return implementation_->run(connection, is_last);
}

}  // namespace millrace::detail
