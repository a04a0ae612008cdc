// Control messages as bytes: one Cap'n Proto message each, which a codec (host_codec.h,
// worker_codec.h) fills and reads. Bytes come from anywhere: what is malformed is kCorruption.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "millrace/core/result.h"

namespace capnp {
class MessageBuilder;
class MessageReader;
}  // namespace capnp

namespace millrace::detail {

std::string bytes_of(capnp::MessageBuilder& message);

// Calls read() with the message; what Cap'n Proto throws there becomes an error.
Status read_control(std::string_view bytes,
                    const std::function<Status(capnp::MessageReader&)>& read);

// The same for a message whose root is of that type.
template <class Root, class Message>
Result<Message> read_control_as(std::string_view bytes,
                                Result<Message> (*read)(typename Root::Reader)) {
  std::optional<Message> message;
  const Status status = read_control(bytes, [&](auto& in) -> Status {
    Result<Message> decoded = read(in.template getRoot<Root>());
    if (!decoded) return decoded.error();
    message = *std::move(decoded);
    return {};
  });
  if (!status) return status.error();
  return *std::move(message);
}

Error malformed_control(std::string_view why);

// An error as it crosses; a code that is unknown here is taken for the worst.
Error error_that_came(std::uint16_t code, std::string message);

}  // namespace millrace::detail
