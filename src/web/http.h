// Requests and answers as whoever serves them sees them, without sockets and libraries.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/core/result.h"

namespace millrace::detail {

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";

// The status by which HTTP says an error, and back: what an answer's status says to do.
int status_of(ErrorCode code);
ErrorCode code_of(int status);

struct HttpRequest {
  std::string method;
  std::string path;    // decoded, without what follows ?
  std::string target;  // as it came
  std::map<std::string, std::string> parameters;
  std::string host;                        // it was sent to, with the port
  std::string origin;                      // the page that a browser sends it for; empty: none
  std::optional<std::uint64_t> body_size;  // none: it comes in chunks
  // The next part of the body, an empty one at its end. Fails if it comes too slowly or not whole.
  std::function<Result<std::string>()> next_part;
};

struct HttpAnswer {
  int status = 200;
  std::string body;
  std::string type{kJsonType};
  std::vector<std::pair<std::string, std::string>> headers;
};

// {"errors":["sentence"]}
HttpAnswer refusal(int status, std::string_view sentence);
HttpAnswer refusal(const Error& error);

}  // namespace millrace::detail
