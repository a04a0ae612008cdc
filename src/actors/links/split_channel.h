// What a source's enumerator and one of its readers say to each other, where a link is between:
// requests one way, splits and triggers the other, each way in its order (docs/FORMATS.md, Links).
// Both ends are named by the reader's subtask. It knows no actors; after an error it is of no use.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "millrace/actors/links/byte_pool.h"
#include "millrace/actors/links/channel_frame.h"
#include "millrace/actors/links/frame.h"
#include "millrace/actors/links/receiver_table.h"
#include "millrace/actors/messages.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Of a request, who sent it does not cross: it is the reader.
using SplitMessage = std::variant<RequestSplit, AssignSplit, NoMoreSplits, Trigger>;

class SplitChannel {
 public:
  SplitChannel(JobAttempt attempt, SubtaskId reader, std::shared_ptr<BytePool> pool);

  // The frame that takes the message to the other end. Fails where a split is too large for one.
  Result<std::string> encode(const SplitMessage& message);

  // The message that a frame holds.
  Result<SplitMessage> accept(Frame frame);

 private:
  ChannelHeader next_;
  ChannelHeader expected_;
  SequenceCheck received_;
  std::shared_ptr<BytePool> pool_;
};

}  // namespace millrace::detail
