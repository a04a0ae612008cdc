#include "millrace/web/http.h"

#include <algorithm>
#include <iterator>

#include "millrace/web/report_json.h"

namespace millrace::detail {
namespace {

struct StatusOfCode {
  ErrorCode code;
  int status;
};

constexpr StatusOfCode kStatuses[] = {
    {ErrorCode::kInvalidArgument, 400},   {ErrorCode::kNotFound, 404},
    {ErrorCode::kCorruption, 422},        {ErrorCode::kUnavailable, 503},
    {ErrorCode::kResourceExhausted, 507}, {ErrorCode::kCancelled, 409},
    {ErrorCode::kUnsupported, 501},       {ErrorCode::kUserCode, 424},
    {ErrorCode::kInternal, 500},
};

}  // namespace

int status_of(ErrorCode code) {
  return std::ranges::find(kStatuses, code, &StatusOfCode::code)->status;
}

ErrorCode code_of(int status) {
  const auto found = std::ranges::find(kStatuses, status, &StatusOfCode::status);
  if (found != std::end(kStatuses)) return found->code;
  return status >= 500 ? ErrorCode::kInternal : ErrorCode::kInvalidArgument;
}

HttpAnswer refusal(int status, std::string_view sentence) {
  return {.status = status, .body = errors_json(sentence)};
}

HttpAnswer refusal(const Error& error) { return refusal(status_of(error.code()), error.message()); }

}  // namespace millrace::detail
