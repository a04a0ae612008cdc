// Any bytes as what comes from a connection: frames, and in them hellos, goodbyes, credit, elements
// and splits. An error or a value, never anything else, and what was decoded can be encoded again.
// Under clang: -fsanitize=fuzzer,address,undefined. links_test drives it with mutated frames.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/kitchen_sink.h"
#include "millrace/actors/links/element_codec.h"
#include "millrace/actors/links/frame.h"
#include "millrace/actors/links/handshake.h"
#include "millrace/actors/links/split_channel.h"
#include "millrace/core/records/record.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kPiece = 7;  // as connections give bytes in any pieces

const ChannelRecords& sinks() {
  static const ChannelRecords records{.type = &type_of<KitchenSink>(),
                                      .prototype = make_batch<KitchenSink>()};
  return records;
}

void try_element(std::string_view bytes) {
  const Result<Element> element = decode_element(bytes, sinks());
  if (!element) return;
  std::string again;
  check(append_data_frame({}, *element, sinks(), again).has_value(), "an element can be sent on");
}

void try_split(std::string_view body) {
  std::string_view rest = body;
  const Result<ChannelHeader> header = take_channel_header(rest);
  if (!header) return;
  SplitChannel channel({header->job, header->attempt}, header->to, std::make_shared<BytePool>());
  Frame frame{std::string(1, static_cast<char>(FrameKind::kSplit)) += body};
  const Result<SplitMessage> message = channel.accept(std::move(frame));
  check(!message || channel.encode(*message).has_value(), "what came of splits can be sent on");
}

void try_body(FrameKind kind, std::string_view body) {
  if (kind == FrameKind::kHello) {
    const Result<Hello> hello = decode_hello(body);
    if (!hello) return;
    std::string again;
    append_hello(*hello, again);
    check(again.substr(kFrameHeaderBytes) == body, "a hello has one form");
  } else if (kind == FrameKind::kGoodbye) {
    (void)decode_goodbye(body);
  } else if (kind == FrameKind::kCredit) {
    (void)decode_credit(body);
  } else if (kind == FrameKind::kData) {
    if (take_channel_header(body)) try_element(body);
  } else if (kind == FrameKind::kSplit) {
    try_split(body);
  }
}

void try_frames(std::string_view bytes) {
  FrameReader reader(std::make_shared<BytePool>(), 64 * 1'024);
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    for (;;) {
      const Result<std::optional<Frame>> frame = reader.next(piece);
      if (!frame) return;
      if (!*frame) break;
      try_body((*frame)->kind(), (*frame)->body());
    }
  }
}

}  // namespace
}  // namespace millrace::detail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace::detail;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_frames(bytes);
  // A checksum is hard to hit, so the bodies are tried without their frames too.
  if (bytes.empty()) return 0;
  try_body(static_cast<FrameKind>(bytes[0]), bytes.substr(1));
  try_element(bytes);
  return 0;
}
