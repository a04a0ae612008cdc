#include "millrace/actors/links/channel_frame.h"

#include "millrace/actors/links/byte_reader.h"
#include "millrace/actors/links/frame.h"
#include "millrace/core/text.h"

namespace millrace::detail {

std::string to_string(const ChannelHeader& header) {
  return concat("job ", header.job.value(), ", attempt ", header.attempt.value(), ", from subtask ",
                header.from.value(), " to ", header.to.value(), ", exchange ", header.exchange,
                ", channel ", header.channel, ", sequence ", header.sequence);
}

void append(const ChannelHeader& header, std::string& out) {
  append_integer(out, header.job.value());
  append_integer(out, header.attempt.value());
  append_integer(out, header.from.value());
  append_integer(out, header.to.value());
  append_integer(out, header.exchange);
  append_integer(out, header.channel);
  append_integer(out, header.sequence);
}

Result<ChannelHeader> take_channel_header(std::string_view& body) {
  ByteReader reader(body);
  ChannelHeader header;
  header.job = JobId(reader.take<std::uint64_t>());
  header.attempt = AttemptId(reader.take<std::uint64_t>());
  header.from = SubtaskId(reader.take<std::uint32_t>());
  header.to = SubtaskId(reader.take<std::uint32_t>());
  header.exchange = reader.take<std::uint32_t>();
  header.channel = reader.take<std::uint32_t>();
  header.sequence = reader.take<std::uint64_t>();
  if (!reader.well()) return corruption("a frame of a channel is shorter than its header");
  body = reader.rest();
  return header;
}

Status append_credit_frame(const ChannelHeader& header, std::string& out) {
  FrameWriter writer(FrameKind::kCredit, out);
  append(header, out);
  return writer.finish();
}

Result<ChannelHeader> decode_credit(std::string_view body) {
  Result<ChannelHeader> header = take_channel_header(body);
  if (header && !body.empty()) return corruption("a credit frame of the wrong size");
  return header;
}

Status SequenceCheck::accept(std::uint64_t sequence) {
  if (sequence == next_) {
    ++next_;
    return {};
  }
  const std::string_view what = sequence > next_ ? "frames are missing" : "a frame came again";
  return corruption(concat(what, ": expected number ", next_, " of the channel, got ", sequence));
}

}  // namespace millrace::detail
