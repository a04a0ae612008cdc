// The receiving side of a task: the elements of all its input channels, in the order of arrival;
// the watermark over its channels, and which of them are idle or have ended.
//
// Bounded by the credit that the senders hold. An input that others must wait for (read_first) is
// read to its end before they are.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "millrace/actors/element.h"
#include "millrace/operators/watermarks.h"

namespace millrace::detail {

struct InputChannel {
  std::uint32_t input = 0;  // of the chain's head
  bool read_first = false;
};

class InputGate {
 public:
  explicit InputGate(std::vector<InputChannel> channels);

  void push(std::size_t channel, Element element);

  struct Next {
    std::size_t channel;
    std::uint32_t input;
    Element element;
  };
  // The next element to process. A watermark is handed out only when it raises the watermark of the
  // whole task or ends its idleness, idleness only when it is the whole task's, an end only when it
  // is the last one of all channels.
  std::optional<Next> pop();

  bool empty() const { return ready_.empty(); }
  bool ended() const { return open_ == 0; }
  Timestamp watermark() const { return watermarks_.current(); }

 private:
  struct Arrived {
    std::size_t channel;
    Element element;
  };

  void end(std::size_t channel);
  std::optional<Element> time_change();

  std::vector<InputChannel> channels_;
  WatermarkTracker watermarks_;
  Timestamp told_watermark_ = kMinTimestamp;
  bool told_idle_ = false;
  std::size_t last_channel_ = 0;  // that gave an element
  std::deque<Arrived> ready_;
  std::deque<Arrived> held_;  // until the inputs that are read first have ended
  std::size_t open_;
  std::size_t open_first_;
};

}  // namespace millrace::detail
