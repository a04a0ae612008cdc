// Control messages as bytes: one Cap'n Proto message each, which a codec (host_codec.h,
// worker_codec.h) fills and reads. Bytes come from anywhere: what is malformed is kCorruption.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

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

Error malformed_control(std::string_view why);

// An error as it crosses; a code that is unknown here is taken for the worst.
Error error_that_came(std::uint16_t code, std::string message);

}  // namespace millrace::detail
