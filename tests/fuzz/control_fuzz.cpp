// Any bytes as a control message: each of the four kinds. An error or a value, never anything else,
// and what was decoded gives the same when it is encoded and decoded again. Under clang:
// -fsanitize=fuzzer,address,undefined. coordination_test drives it with mutated messages.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "millrace/coordination/host_codec.h"
#include "millrace/coordination/worker_codec.h"
#include "millrace/core/check.h"

namespace millrace::detail {
namespace {

template <class Message>
void try_decoding(std::string_view bytes, Result<Message> (*decode)(std::string_view)) {
  const Result<Message> message = decode(bytes);
  if (!message) return;
  const Result<std::string> encoded = encode(*message);
  check(encoded.has_value(), "what was decoded can be encoded");
  const Result<Message> again = decode(*encoded);
  check(again.has_value(), "what was encoded can be decoded");
  check(*encode(*again) == *encoded, "a message has one form");
}

}  // namespace
}  // namespace millrace::detail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace::detail;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_decoding(bytes, decode_host_command);
  try_decoding(bytes, decode_host_report);
  try_decoding(bytes, decode_worker_command);
  try_decoding(bytes, decode_worker_report);
  return 0;
}
