#include "millrace/actors/links/split_channel.h"

#include "millrace/actors/links/barrier_codec.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

enum class SplitKind : std::uint8_t { kRequest, kAssign, kNoMore, kTrigger };

void append_kind(SplitKind kind, std::string& out) { out += static_cast<char>(kind); }

void append_message(const RequestSplit&, std::string& out) {
  append_kind(SplitKind::kRequest, out);
}
void append_message(const AssignSplit& assigned, std::string& out) {
  append_kind(SplitKind::kAssign, out);
  append_frame_text(out, assigned.split);
  append_frame_text(out, assigned.schema);
}
void append_message(const NoMoreSplits&, std::string& out) { append_kind(SplitKind::kNoMore, out); }
void append_message(const Trigger& trigger, std::string& out) {
  append_kind(SplitKind::kTrigger, out);
  append_barrier(trigger.barrier, out);
}

AssignSplit take_assigned(ByteReader& reader) {
  std::string split(reader.take_text(kMostFrameBytes));
  return {std::move(split), std::string(reader.take_text(kMostFrameBytes))};
}

Result<SplitMessage> decode_message(std::string_view bytes) {
  ByteReader reader(bytes);
  SplitMessage message = NoMoreSplits{};
  switch (static_cast<SplitKind>(reader.take<std::uint8_t>())) {
    case SplitKind::kRequest:
      message = RequestSplit{};
      break;
    case SplitKind::kAssign:
      message = take_assigned(reader);
      break;
    case SplitKind::kNoMore:
      break;
    case SplitKind::kTrigger: {
      Result<Barrier> barrier = take_barrier(reader);
      if (!barrier) return barrier.error();
      message = Trigger{*std::move(barrier)};
      break;
    }
    default:
      return corruption("what came of splits is of a kind that is not known");
  }
  if (!reader.ended()) return corruption("what came of splits is of the wrong size");
  return message;
}

}  // namespace

SplitChannel::SplitChannel(JobAttempt attempt, SubtaskId reader, std::shared_ptr<BytePool> pool)
    : next_{.job = attempt.job, .attempt = attempt.attempt, .from = reader, .to = reader},
      expected_(next_),
      pool_(std::move(pool)) {}

Result<std::string> SplitChannel::encode(const SplitMessage& message) {
  std::string frame = pool_->take();
  FrameWriter writer(FrameKind::kSplit, frame);
  append(next_, frame);
  std::visit([&](const auto& alternative) { append_message(alternative, frame); }, message);
  if (Status finished = writer.finish(); !finished) {
    return finished.error().with_context("sending a split");
  }
  ++next_.sequence;
  return frame;
}

Result<SplitMessage> SplitChannel::accept(Frame frame) {
  std::string_view body = frame.body();
  const Result<ChannelHeader> header = take_channel_header(body);
  if (!header) return header.error();
  expected_.sequence = header->sequence;
  if (*header != expected_) {
    return corruption(concat("a frame of ", to_string(*header), " came for the splits of ",
                             to_string(expected_)));
  }
  Status next = received_.accept(header->sequence);
  if (!next) return next.error().with_context(concat("splits of ", to_string(*header)));
  Result<SplitMessage> message = decode_message(body);
  if (!message) return message.error().with_context(concat("splits of ", to_string(*header)));
  pool_->put(std::move(frame.bytes));
  return message;
}

}  // namespace millrace::detail
