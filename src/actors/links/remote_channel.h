// The two ends of a channel that crosses a link: elements become frames and frames elements, credit
// goes the other way, and each way its sequence is kept. One belongs to one task, on whose thread
// it is used; it knows no actors. After an error a channel is of no use.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "millrace/actors/channel_records.h"
#include "millrace/actors/element.h"
#include "millrace/actors/links/byte_pool.h"
#include "millrace/actors/links/channel_frame.h"
#include "millrace/actors/links/frame.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Whose channel it is, and how each end numbers it.
struct RemoteChannel {
  JobId job;
  AttemptId attempt;
  SubtaskId sender;
  SubtaskId receiver;
  std::uint32_t exchange = 0;  // of the sender
  std::uint32_t channel = 0;   // of that exchange
  std::uint32_t input = 0;     // the receiver's input channel
};

class RemoteOutput {
 public:
  RemoteOutput(const RemoteChannel& channel, ChannelRecords records,
               std::shared_ptr<BytePool> pool);

  // The frame that takes the element to the receiver. Its batch is kept for what this thread sends
  // next.
  Result<std::string> encode(Element element);

  // The receiver is done with the batch that was sent first of those that it had: so many bytes.
  Result<std::size_t> accept(const ChannelHeader& credit);

 private:
  ChannelHeader next_;
  ChannelHeader expected_;  // of credit, but for the sequence
  SequenceCheck credits_;
  std::deque<std::size_t> in_flight_;  // bytes of batches, which are processed in their order
  ChannelRecords records_;
  std::shared_ptr<BytePool> pool_;
};

class RemoteInput {
 public:
  RemoteInput(const RemoteChannel& channel, ChannelRecords records, std::shared_ptr<BytePool> pool);

  // The element that a data frame holds.
  Result<Element> accept(Frame frame);

  // The frame that tells the sender that the task is done with a batch.
  Result<std::string> credit();

 private:
  ChannelHeader next_credit_;
  ChannelHeader expected_;
  SequenceCheck elements_;
  ChannelRecords records_;
  std::shared_ptr<BytePool> pool_;
};

}  // namespace millrace::detail
