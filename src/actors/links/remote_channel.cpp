#include "millrace/actors/links/remote_channel.h"

#include "millrace/actors/batch_pool.h"
#include "millrace/actors/links/element_codec.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

ChannelHeader data_header(const RemoteChannel& channel) {
  return {.job = channel.job,
          .attempt = channel.attempt,
          .from = channel.sender,
          .to = channel.receiver,
          .channel = channel.input};
}

ChannelHeader credit_header(const RemoteChannel& channel) {
  return {.job = channel.job,
          .attempt = channel.attempt,
          .from = channel.receiver,
          .to = channel.sender,
          .exchange = channel.exchange,
          .channel = channel.channel};
}

Status check_place(ChannelHeader header, const ChannelHeader& expected) {
  header.sequence = expected.sequence;
  if (header == expected) return {};
  return corruption(
      concat("a frame of ", to_string(header), " came on the channel of ", to_string(expected)));
}

}  // namespace

RemoteOutput::RemoteOutput(const RemoteChannel& channel, ChannelRecords records,
                           std::shared_ptr<BytePool> pool)
    : next_(data_header(channel)),
      expected_(credit_header(channel)),
      records_(std::move(records)),
      pool_(std::move(pool)) {}

Result<std::string> RemoteOutput::encode(Element element) {
  std::string frame = pool_->take();
  Status appended = append_data_frame(next_, element, records_, frame);
  if (!appended) return appended.error();
  ++next_.sequence;
  if (element.batch) in_flight_.push_back(element.batch->bytes());
  BatchPool::of_this_thread().put(std::move(element.batch));
  return frame;
}

Result<std::size_t> RemoteOutput::accept(const ChannelHeader& credit) {
  if (Status here = check_place(credit, expected_); !here) return here.error();
  if (Status next = credits_.accept(credit.sequence); !next) {
    return next.error().with_context(to_string(credit));
  }
  if (in_flight_.empty()) {
    return corruption(
        concat("credit came back for a batch that was not sent: ", to_string(credit)));
  }
  const std::size_t bytes = in_flight_.front();
  in_flight_.pop_front();
  return bytes;
}

RemoteInput::RemoteInput(const RemoteChannel& channel, ChannelRecords records,
                         std::shared_ptr<BytePool> pool)
    : next_credit_(credit_header(channel)),
      expected_(data_header(channel)),
      records_(std::move(records)),
      pool_(std::move(pool)) {}

Result<Element> RemoteInput::accept(Frame frame) {
  std::string_view body = frame.body();
  const Result<ChannelHeader> header = take_channel_header(body);
  if (!header) return header.error();
  if (Status here = check_place(*header, expected_); !here) return here.error();
  if (Status next = elements_.accept(header->sequence); !next) {
    return next.error().with_context(to_string(*header));
  }
  Result<Element> element = decode_element(body, records_);
  if (!element) return element.error().with_context(to_string(*header));
  pool_->put(std::move(frame.bytes));
  return element;
}

Result<std::string> RemoteInput::credit() {
  std::string frame;
  Status appended = append_credit_frame(next_credit_, frame);
  if (!appended) return appended.error();
  ++next_credit_.sequence;
  return frame;
}

}  // namespace millrace::detail
