#include "millrace/coordination/control_message.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr auto kLastError = ErrorCode::kInternal;

}  // namespace

std::string bytes_of(capnp::MessageBuilder& message) {
  const kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
  const kj::ArrayPtr<const char> chars = words.asChars();
  return {chars.begin(), chars.size()};
}

// Each part is read once; the limit stops pointers that lead to one part again and again.
Status read_control(std::string_view bytes,
                    const std::function<Status(capnp::MessageReader&)>& read) {
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0) {
    return malformed_control("it is cut off");
  }
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), bytes.data(), bytes.size());
  try {
    capnp::FlatArrayMessageReader message(
        words, {.traversalLimitInWords = 2 * words.size() + 1'024, .nestingLimit = 16});
    if (message.getEnd() != words.end()) return malformed_control("bytes follow it");
    return read(message);
  } catch (const kj::Exception& exception) {
    return malformed_control(exception.getDescription().cStr());
  }
}

Error malformed_control(std::string_view why) {
  return corruption(concat("a control message cannot be read: ", why));
}

Error error_that_came(std::uint16_t code, std::string message) {
  const bool known = code <= static_cast<std::uint16_t>(kLastError);
  return {known ? static_cast<ErrorCode>(code) : kLastError, std::move(message)};
}

}  // namespace millrace::detail
