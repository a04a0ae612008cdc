#include "millrace/actors/input_gate.h"

#include <algorithm>
#include <iterator>

namespace millrace::detail {

InputGate::InputGate(std::vector<InputChannel> channels)
    : channels_(std::move(channels)),
      watermarks_(channels_.size()),
      open_(channels_.size()),
      open_first_(static_cast<std::size_t>(
          std::ranges::count_if(channels_, [](const InputChannel& c) { return c.read_first; }))) {}

void InputGate::push(std::size_t channel, Element element) {
  const bool waits = open_first_ > 0 && !channels_[channel].read_first;
  (waits ? held_ : ready_).push_back({channel, std::move(element)});
}

std::optional<InputGate::Next> InputGate::pop() {
  while (!ready_.empty()) {
    auto [channel, element] = std::move(ready_.front());
    ready_.pop_front();
    if (element.kind == Element::Kind::kEnd) {
      end(channel);
      if (!ended()) continue;
    } else if (element.kind == Element::Kind::kWatermark) {
      const std::optional<Timestamp> raised = watermarks_.update(channel, element.watermark);
      if (!raised) continue;
      element.watermark = *raised;
    } else if (element.watermark != kMinTimestamp) {
      ready_.push_front({channel,
                         {.kind = Element::Kind::kWatermark,
                          .watermark = std::exchange(element.watermark, kMinTimestamp)}});
    }
    return Next{channel, channels_[channel].input, std::move(element)};
  }
  return std::nullopt;
}

void InputGate::end(std::size_t channel) {
  --open_;
  if (channels_[channel].read_first && --open_first_ == 0) {
    ready_.insert(ready_.end(), std::make_move_iterator(held_.begin()),
                  std::make_move_iterator(held_.end()));
    held_.clear();
  }
}

}  // namespace millrace::detail
