#include "millrace/tools/rest_client.h"

#include <httplib.h>

#include <fstream>
#include <ostream>
#include <thread>

#include "millrace/core/text.h"
#include "millrace/core/units.h"
#include "millrace/web/http.h"

namespace millrace::detail {
namespace {

using std::chrono::steady_clock;

constexpr int kUsualPort = 8'081;
constexpr int kMostRedirects = 5;
constexpr std::string_view kScheme = "http://";

Error bad_address(std::string_view text, std::string_view what) {
  return invalid_argument(concat("the address ", in_quotes(text), " of the cluster ", what,
                                 "; expected http://HOST:PORT, as http://127.0.0.1:8081"));
}

// The sentences of {"errors":[...]}; none if the body is something else.
std::vector<std::string> errors_in(const std::string& body) {
  struct Errors {
    std::vector<std::string> errors;
  };
  Errors read;
  JsonReader reader;
  if (!reader.read(body, read)) return {};
  return std::move(read.errors);
}

std::string what_failed(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "cannot be connected to";
    case httplib::Error::Read:
      return "did not answer, or broke off";
    case httplib::Error::Write:
      return "took no more of the request";
    case httplib::Error::Canceled:
      return "was left, as was asked";
    default:
      return concat("failed: ", httplib::to_string(error));
  }
}

// Gives a file to httplib piece by piece.
class Upload {
 public:
  explicit Upload(const std::string& path) : file_(path, std::ios::binary | std::ios::ate) {
    if (file_) size_ = static_cast<std::size_t>(file_.tellg());
  }

  bool is_open() const { return file_.is_open(); }
  std::size_t size() const { return size_; }

  bool give(std::size_t offset, std::size_t length, httplib::DataSink& sink) {
    std::string part(std::min<std::size_t>(length, std::size_t{64} << 10), '\0');
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(part.data(), static_cast<std::streamsize>(part.size()));
    if (file_.gcount() <= 0) return false;  // it has become shorter
    return sink.write(part.data(), static_cast<std::size_t>(file_.gcount()));
  }

 private:
  std::ifstream file_;
  std::size_t size_ = 0;
};

httplib::Result send(httplib::Client& client, const RestCall& call,
                     const std::function<bool()>& interrupted) {
  const std::string type(kJsonType);
  if (!call.file.empty()) {
    const auto upload = std::make_shared<Upload>(call.file);
    return client.Put(
        call.path, upload->size(),
        [=](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
          return !interrupted() && upload->give(offset, length, sink);
        },
        "application/octet-stream");
  }
  httplib::Request request;
  request.method = call.method;
  request.path = call.path;
  if (!call.body.empty()) {
    request.body = call.body;
    request.set_header("Content-Type", type);
  }
  return client.send(request);
}

}  // namespace

std::string RestAddress::text() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return concat(kScheme, is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", ':', port);
}

Result<RestAddress> parse_rest_address(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("https://")) return bad_address(text, "asks for TLS, which is to come");
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  RestAddress address{.port = kUsualPort};
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
  const std::size_t end = bracket == std::string_view::npos ? rest.find(':') : bracket + 1;
  address.host = rest.substr(0, end);
  if (bracket != std::string_view::npos) address.host = rest.substr(1, bracket - 1);
  if (address.host.find_first_of("/ []?#@") != std::string::npos || address.host.empty()) {
    return bad_address(text, "names no host");
  }
  if (end >= rest.size()) return address;
  const Result<std::int64_t> port = parse_integer(rest.substr(end + 1));
  if (rest[end] != ':' || !port || *port < 1 || *port > 65'535) {
    return bad_address(text, "has no port from 1 to 65535");
  }
  address.port = static_cast<int>(*port);
  return address;
}

Result<std::vector<RestAddress>> parse_rest_addresses(std::string_view text) {
  std::vector<RestAddress> addresses;
  while (true) {
    std::string_view one = text.substr(0, text.find(','));
    const bool last = one.size() == text.size();
    text.remove_prefix(last ? one.size() : one.size() + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    Result<RestAddress> address = parse_rest_address(one);
    if (!address) return address.error();
    addresses.push_back(*std::move(address));
    if (last) return addresses;
  }
}

// How one try ended.
struct RestClient::Attempt {
  enum class End { kAnswered, kElsewhere, kNobody, kBroken };  // kBroken: it may have been done

  End end;
  int status = 0;
  std::string text;  // the body; where to; or why nobody
};

RestClient::Attempt RestClient::attempt(RestAddress address, const RestCall& call) {
  using End = Attempt::End;
  if (!call.file.empty()) {
    // Only who takes it, and has it not, is sent it: a refusal would be lost in the upload.
    Attempt asked = attempt(address, {.method = "HEAD", .path = call.path});
    if (asked.end != End::kAnswered || asked.status < 300) return asked;
  }
  httplib::Client client(address.host, address.port);
  client.set_connection_timeout(std::chrono::seconds(3));
  client.set_tcp_nodelay(true);
  client.set_read_timeout(patience_.answer);
  client.set_write_timeout(patience_.answer);
  const httplib::Result result = send(client, call, patience_.interrupted);
  if (!result) {
    const bool unsent = result.error() == httplib::Error::Connection;
    return {unsent ? End::kNobody : End::kBroken, 0,
            concat(address.text(), ' ', what_failed(result.error()))};
  }
  const std::string location = result->get_header_value("Location");
  if (result->status == 307 && !location.empty()) return {End::kElsewhere, 307, location};
  if (result->status != status_of(ErrorCode::kUnavailable)) {
    answered_ = address;
    return {End::kAnswered, result->status, result->body};
  }
  const std::vector<std::string> sentences = errors_in(result->body);
  return {End::kNobody, result->status,
          concat(address.text(), " says: ", sentences.empty() ? "not now" : join(sentences, "; "))};
}

RestClient::Attempt RestClient::attempt_anywhere(const RestCall& call) {
  using End = Attempt::End;
  std::vector<std::string> failures;
  bool broken = false;
  std::vector<RestAddress> addresses = addresses_;
  if (answered_) {
    std::erase(addresses, *answered_);
    addresses.insert(addresses.begin(), *answered_);
  }
  for (RestAddress address : addresses) {
    for (int redirects = 0; redirects <= kMostRedirects; ++redirects) {
      Attempt tried = attempt(address, call);
      if (tried.end == End::kAnswered) return tried;
      broken |= tried.end == End::kBroken;
      const std::string_view text = tried.text;
      const std::size_t path = text.find('/', kScheme.size());
      Result<RestAddress> next = tried.end == End::kElsewhere
                                     ? parse_rest_address(text.substr(0, path))
                                     : Result<RestAddress>(unavailable(tried.text));
      if (!next) failures.push_back(next.error().message());
      if (!next) break;
      address = *std::move(next);
    }
    if (broken && !call.repeatable) break;
  }
  if (failures.empty()) failures.emplace_back("the coordinators send from one to the other");
  return {broken ? End::kBroken : End::kNobody, 0, join(failures, "; ")};
}

Result<std::string> RestClient::ask(const RestCall& call) {
  has_asked_ = true;
  const auto deadline = steady_clock::now() + patience_.whole;
  while (true) {
    Attempt tried = attempt_anywhere(call);
    if (tried.end == Attempt::End::kAnswered) {
      if (tried.status < 300) return std::move(tried.text);
      const std::vector<std::string> sentences = errors_in(tried.text);
      if (!sentences.empty()) return Error(code_of(tried.status), join(sentences, "; "));
      return strange(call, unsupported(concat("it is ", in_quotes(tried.text), " with status ",
                                              tried.status)));
    }
    if (tried.end == Attempt::End::kBroken && !call.repeatable) {
      return unavailable(concat("the answer was lost: ", tried.text,
                                "; the cluster may do what it was asked, or not: look before "
                                "you ask again"));
    }
    if (steady_clock::now() >= deadline) {
      return unavailable(concat("no coordinator of the cluster answers: ", tried.text));
    }
    say_once(tried.text);
    if (const Status paused = pause(); !paused) return paused.error();
  }
}

Status RestClient::pause() {
  constexpr Duration kStep = std::chrono::milliseconds(50);
  for (Duration left = patience_.pause; left > Duration(0); left -= kStep) {
    if (patience_.interrupted()) return cancelled("interrupted");
    std::this_thread::sleep_for(std::min(left, kStep));
  }
  return {};
}

void RestClient::say_once(std::string_view why) {
  if (said_) return;
  said_ = true;
  notes_ << "millrace: no coordinator answers (" << why << "); trying for "
         << millrace::to_string(patience_.whole) << std::endl;
}

Error RestClient::strange(const RestCall& call, const Error& error) const {
  return unsupported(concat("what ", answered_ ? answered_->text() : "", " answered to ",
                            call.method, ' ', call.path, " is not a cluster's answer (",
                            error.message(),
                            "): is a coordinator of Millrace there, and of this version?"));
}

}  // namespace millrace::detail
