// What data, credit and split frames begin with: whose they are, and where they stand on their
// channel.
//
// A channel's data goes from one subtask to another, its credit back; each way has a sequence of
// its own that counts from 0. A link keeps the order, so a number that does not follow the one
// before means that frames were lost or came twice, which nothing may go on after.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/core/ids.h"
#include "millrace/core/result.h"

namespace millrace::detail {

struct ChannelHeader {
  JobId job;
  AttemptId attempt;
  SubtaskId from;              // that sends the frame
  SubtaskId to;                // that is to have it
  std::uint32_t exchange = 0;  // as the receiver of the frame numbers them: of credit, its exchange
  std::uint32_t channel = 0;  // and the channel of that; of data, its input channel, and exchange 0
  std::uint64_t sequence = 0;

  friend bool operator==(const ChannelHeader&, const ChannelHeader&) = default;
};

// "job 7, attempt 2, from subtask 3 to 5, exchange 0, channel 1, sequence 9"
std::string to_string(const ChannelHeader& header);

constexpr std::size_t kChannelHeaderBytes = 40;

void append(const ChannelHeader& header, std::string& out);
// Takes the header off the front of a frame's body.
Result<ChannelHeader> take_channel_header(std::string_view& body);

// A credit frame is a header and nothing else.
Status append_credit_frame(const ChannelHeader& header, std::string& out);  // the whole frame
Result<ChannelHeader> decode_credit(std::string_view body);

// The numbers of one direction of one channel, as its receiver sees them.
class SequenceCheck {
 public:
  // Fails where frames are missing or came again; the channel is of no use then.
  Status accept(std::uint64_t sequence);

 private:
  std::uint64_t next_ = 0;
};

}  // namespace millrace::detail
