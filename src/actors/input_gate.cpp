#include "millrace/actors/input_gate.h"

#include <algorithm>
#include <iterator>

#include "millrace/core/mutant.h"

namespace millrace::detail {

InputGate::InputGate(std::vector<InputChannel> channels)
    : channels_(std::move(channels)),
      watermarks_(channels_.size()),
      open_(channels_.size()),
      open_first_(static_cast<std::size_t>(
          std::ranges::count_if(channels_, [](const InputChannel& c) { return c.read_first; }))),
      aligned_(channels_.size()) {}

bool InputGate::push(std::size_t channel, Element element) {
  if (is_mutant(Mutant::kReorderBatches) && element.batch && !ready_.empty() &&
      ready_.back().channel == channel && ready_.back().element.batch) {
    std::swap(ready_.back().element.batch, element.batch);
  }
  if (record_ && record(channel, element)) return true;
  if (element.kind == Element::Kind::kBarrier) {
    if (element.barrier.checkpoint > arrived_.checkpoint) arrived_ = element.barrier;
  }
  const bool waits = open_first_ > 0 && !channels_[channel].read_first;
  if (waits && element.kind == Element::Kind::kBarrier) {
    if (waits_for_records(channel)) {
      const bool of_use = is_of_use(element.barrier.checkpoint);
      give_up(element.barrier.checkpoint);
      return !of_use;
    }
    ready_.push_back({channel, std::move(element)});  // nothing of the channel is before it
  } else {
    (waits ? held_ : ready_).push_back({channel, std::move(element)});
  }
  return true;
}

bool InputGate::waits_for_records(std::size_t channel) const {
  return std::ranges::any_of(
      held_, [&](const Arrived& held) { return held.channel == channel && held.element.batch; });
}

bool InputGate::awaits(CheckpointId checkpoint) const {
  return checkpoint == newest_ && missing_ > 0;
}

bool InputGate::is_of_use(CheckpointId checkpoint) const {
  return checkpoint > newest_ || awaits(checkpoint);
}

const Barrier* InputGate::waiting_barrier() const {
  const bool overtook = record_ && arrived_.checkpoint == newest_;
  const bool waits = is_of_use(arrived_.checkpoint) && !overtook;
  const bool may = mode_ == CheckpointMode::kExactlyOnce && open_first_ == 0;
  return waits && may ? &arrived_ : nullptr;
}

void InputGate::overtake(Record record) {
  check(waiting_barrier() != nullptr, "there is no barrier that could overtake");
  expect(arrived_);
  release();  // of channels that have given it: what was set aside came behind it
  std::erase_if(ready_, [&](const Arrived& arrived) {
    const auto& [channel, element] = arrived;
    if (aligned_[channel]) return false;
    if (element.kind == Element::Kind::kBarrier && element.barrier.checkpoint == newest_) {
      aligned_[channel] = true;
      --missing_;
      return true;
    }
    record(channel, element);
    return false;
  });
  if (missing_ > 0) record_ = std::move(record);
}

// What came before the barrier that has overtaken it; true for that barrier itself.
bool InputGate::record(std::size_t channel, const Element& element) {
  if (aligned_[channel]) return false;
  if (element.kind != Element::Kind::kBarrier) {
    record_(channel, element);
    return false;
  }
  if (element.barrier.checkpoint != newest_) return false;
  aligned_[channel] = true;
  if (--missing_ == 0) record_ = nullptr;
  return true;
}

std::optional<InputGate::Next> InputGate::pop() {
  while (true) {
    if (std::optional<Element> change = time_change()) {
      return Next{last_channel_, channels_[last_channel_].input, *std::move(change)};
    }
    if (ready_.empty()) return std::nullopt;
    auto [channel, element] = std::move(ready_.front());
    ready_.pop_front();
    if (is_held(channel, element)) {
      aside_.push_back({channel, std::move(element)});
      continue;
    }
    last_channel_ = channel;
    if (element.kind == Element::Kind::kBarrier) {
      if (!align(channel, element.barrier)) continue;
    } else if (element.kind == Element::Kind::kEnd) {
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

bool InputGate::is_held(std::size_t channel, const Element& element) const {
  if (is_mutant(Mutant::kSkipAlignment) && channel == 0) return false;
  if (missing_ == 0 || record_ || !aligned_[channel]) return false;
  return mode_ == CheckpointMode::kExactlyOnce || element.kind == Element::Kind::kEnd ||
         has_aside(channel);
}

bool InputGate::has_aside(std::size_t channel) const {
  return std::ranges::any_of(aside_, [&](const Arrived& a) { return a.channel == channel; });
}

// Takes note of a channel's barrier; true if it was the last one.
bool InputGate::align(std::size_t channel, const Barrier& barrier) {
  if (!is_of_use(barrier.checkpoint)) return false;
  expect(barrier);
  check(!aligned_[channel], "a channel gave the same barrier twice");
  aligned_[channel] = true;
  if (--missing_ > 0) return false;
  release();
  return true;
}

// From all channels, if it is newer than the one that was expected.
void InputGate::expect(const Barrier& barrier) {
  if (barrier.checkpoint == newest_) return;
  release();
  record_ = nullptr;
  newest_ = barrier.checkpoint;
  missing_ = channels_.size();
  aligned_.assign(channels_.size(), false);
}

void InputGate::give_up(CheckpointId checkpoint) {
  if (checkpoint < newest_) return;
  record_ = nullptr;
  newest_ = checkpoint;
  missing_ = 0;
  release();
}

// What was set aside came before all that is ready of its channel.
void InputGate::release() {
  ready_.insert(ready_.begin(), std::make_move_iterator(aside_.begin()),
                std::make_move_iterator(aside_.end()));
  aside_.clear();
}

}  // namespace millrace::detail
