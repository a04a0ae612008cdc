#include "millrace/core/result.h"

#include <cstdio>
#include <cstdlib>

#include "millrace/core/text.h"

namespace millrace {

void fail_check(const char* what, std::source_location where) {
  std::fprintf(stderr, "millrace: %s:%u: %s: %s\n", where.file_name(), where.line(),
               where.function_name(), what);
  std::abort();
}

std::string_view to_string(ErrorCode code) {
  constexpr std::string_view kWords[] = {
      "invalid argument", "not found",   "corruption", "unavailable", "resource exhausted",
      "cancelled",        "unsupported", "user code",  "internal",
  };
  return kWords[static_cast<std::size_t>(code)];
}

Error::Error(ErrorCode code, std::string message)
    : payload_(std::make_shared<const Payload>(Payload{code, std::move(message)})) {}

Error Error::with_context(std::string_view context) const {
  return Error(code(), concat(context, ": ", message()));
}

Error invalid_argument(std::string message) {
  return Error(ErrorCode::kInvalidArgument, std::move(message));
}
Error not_found(std::string message) { return Error(ErrorCode::kNotFound, std::move(message)); }
Error corruption(std::string message) { return Error(ErrorCode::kCorruption, std::move(message)); }
Error unavailable(std::string message) {
  return Error(ErrorCode::kUnavailable, std::move(message));
}
Error resource_exhausted(std::string message) {
  return Error(ErrorCode::kResourceExhausted, std::move(message));
}
Error cancelled(std::string message) { return Error(ErrorCode::kCancelled, std::move(message)); }
Error unsupported(std::string message) {
  return Error(ErrorCode::kUnsupported, std::move(message));
}
Error user_code(std::string message) { return Error(ErrorCode::kUserCode, std::move(message)); }
Error internal(std::string message) { return Error(ErrorCode::kInternal, std::move(message)); }

}  // namespace millrace
