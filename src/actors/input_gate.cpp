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
  while (true) {
    if (std::optional<Element> change = time_change()) {
      return Next{last_channel_, channels_[last_channel_].input, *std::move(change)};
    }
    if (ready_.empty()) return std::nullopt;
    auto [channel, element] = std::move(ready_.front());
    ready_.pop_front();
    last_channel_ = channel;
    if (element.kind == Element::Kind::kEnd) {
      end(channel);
      if (!ended()) continue;
    } else if (element.kind == Element::Kind::kWatermark) {
      watermarks_.advance(channel, element.watermark);
      if (element.idle) watermarks_.mark_idle(channel);
      continue;
    } else if (element.watermark != kMinTimestamp || element.idle) {
      ready_.push_front({channel,
                         {.kind = Element::Kind::kWatermark,
                          .watermark = std::exchange(element.watermark, kMinTimestamp),
                          .idle = std::exchange(element.idle, false)}});
    }
    return Next{channel, channels_[channel].input, std::move(element)};
  }
}

// What the chain has not been told yet: the watermark first, then that the task is idle.
std::optional<Element> InputGate::time_change() {
  const Timestamp watermark = watermarks_.current();
  const bool wakes = told_idle_ && !watermarks_.idle();
  if (watermark > told_watermark_ || wakes) {
    told_watermark_ = watermark;
    told_idle_ = false;
    return Element{.kind = Element::Kind::kWatermark, .watermark = watermark};
  }
  if (told_idle_ == watermarks_.idle()) return std::nullopt;
  told_idle_ = true;
  return Element{.kind = Element::Kind::kWatermark, .idle = true};
}

void InputGate::end(std::size_t channel) {
  watermarks_.finish(channel);
  --open_;
  if (channels_[channel].read_first && --open_first_ == 0) {
    ready_.insert(ready_.end(), std::make_move_iterator(held_.begin()),
                  std::make_move_iterator(held_.end()));
    held_.clear();
  }
}

}  // namespace millrace::detail
