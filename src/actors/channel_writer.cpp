#include "millrace/actors/channel_writer.h"

#include <algorithm>

#include "millrace/core/mutant.h"

namespace millrace::detail {

ChannelWriter::ChannelWriter(ChannelRecords records, std::size_t channels,
                             std::unique_ptr<Partitioner> partitioner, Send send,
                             ChannelLimits limits)
    : partitioner_(std::move(partitioner)),
      send_(std::move(send)),
      limits_(limits),
      records_(std::move(records)),
      channels_(channels) {
  const std::size_t partials = broadcasts() ? 1 : channels;
  for (std::size_t i = 0; i < partials; ++i) partials_.push_back(records_.prototype->make_empty());
}

bool ChannelWriter::has_credit(const Channel& channel, std::size_t bytes) const {
  if (channel.held) return false;
  if (channel.in_flight == 0) return true;  // one batch always goes, however large
  return channel.in_flight < limits_.batches && channel.bytes_in_flight + bytes <= limits_.bytes;
}

bool ChannelWriter::is_full(const AnyBatch& batch) const {
  return batch.size() >= limits_.batch_records || batch.bytes() >= kBatchBytes;
}

void ChannelWriter::write(BatchPtr& batch, bool shared) {
  if (batch->empty()) return;
  if (broadcasts()) {
    share(batch, shared);
  } else if (channels_.size() == 1) {
    hand_over(batch, shared);
  } else {
    scatter(*batch, shared);
  }
}

void ChannelWriter::scatter(AnyBatch& batch, bool shared) {
  partitioner_->scatter(batch, !shared, partials_);
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (is_full(*partials_[i])) send_partial(i);
  }
}

// To a single channel a batch that is worth a message goes as it is.
void ChannelWriter::hand_over(BatchPtr& batch, bool shared) {
  BatchPtr& partial = partials_[0];
  if (!shared && partial->empty() && batch->size() >= limits_.batch_records / 2) {
    std::swap(partial, batch);
    batch->clear();
  } else {
    partial->append(*batch, 0, batch->size(), !shared);
  }
  if (is_full(*partial)) send_partial(0);
}

void ChannelWriter::share(BatchPtr& batch, bool shared) {
  partials_[0]->append(*batch, 0, batch->size(), !shared);
  if (is_full(*partials_[0])) send_partial_to_all();
}

void ChannelWriter::watermark(Timestamp watermark) {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (partial_of(i)->empty()) {
      enqueue(i, {.kind = Element::Kind::kWatermark, .watermark = watermark});
    } else {
      channels_[i].watermark = watermark;
      channels_[i].idle = false;
    }
  }
}

void ChannelWriter::mark_idle() {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (partial_of(i)->empty()) {
      enqueue(i, {.kind = Element::Kind::kWatermark, .idle = true});
    } else {
      channels_[i].idle = true;
    }
  }
}

void ChannelWriter::barrier(const Barrier& barrier) {
  if (!is_mutant(Mutant::kBarrierOvertakes)) send_all_partials();
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    enqueue(i, {.kind = Element::Kind::kBarrier, .barrier = barrier});
  }
}

// An older barrier that waits too is of a checkpoint that was given up.
void ChannelWriter::overtake(const Record& record) {
  const auto is_barrier = [](const Element& e) { return e.kind == Element::Kind::kBarrier; };
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    std::deque<Element>& waiting = channels_[i].waiting;
    const auto newest = std::find_if(waiting.rbegin(), waiting.rend(), is_barrier);
    if (newest == waiting.rend()) continue;
    std::for_each(waiting.begin(), newest.base(), [&](const Element& element) {
      if (!is_barrier(element)) record(i, element);
    });
    send_(i, *newest);
    waiting_barriers_ -= std::erase_if(waiting, is_barrier);
  }
}

void ChannelWriter::restore(std::size_t index, Element element) {
  element.restored = false;  // here it goes as any other
  wait(channels_[index], std::move(element));
}

void ChannelWriter::send_restored() {
  for (std::size_t i = 0; i < channels_.size(); ++i) drain(i);
}

void ChannelWriter::finish() {
  send_all_partials();
  for (std::size_t i = 0; i < channels_.size(); ++i) enqueue(i, {.kind = Element::Kind::kEnd});
}

void ChannelWriter::send_all_partials() {
  if (broadcasts()) {
    if (!partials_[0]->empty()) send_partial_to_all();
    return;
  }
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (!partials_[i]->empty()) send_partial(i);
  }
}

void ChannelWriter::flush() {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (!partial_of(i)->empty()) channels_[i].flushing = true;
  }
  for (std::size_t i = 0; i < channels_.size(); ++i) send_if_awaited(i);
}

// Sends a partial batch that may go to a receiver with nothing more to do; all receivers of a
// broadcast take it as soon as one of them is so.
void ChannelWriter::send_if_awaited(std::size_t index) {
  const Channel& channel = channels_[index];
  if (!channel.flushing || channel.held || channel.in_flight >= kBusyBatches) return;
  broadcasts() ? send_partial_to_all() : send_partial(index);
}

Element ChannelWriter::with_marks(std::size_t index, BatchPtr batch) {
  Channel& channel = channels_[index];
  return {.batch = std::move(batch),
          .watermark = std::exchange(channel.watermark, kMinTimestamp),
          .idle = std::exchange(channel.idle, false)};
}

void ChannelWriter::send_partial(std::size_t index) {
  channels_[index].flushing = false;
  Element element = with_marks(index, std::exchange(partials_[index], fresh()));
  if (is_mutant(Mutant::kDuplicateBatch, 100)) enqueue(index, element);
  enqueue(index, std::move(element));
}

void ChannelWriter::send_partial_to_all() {
  const BatchPtr batch = std::exchange(partials_[0], fresh());
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    channels_[i].flushing = false;
    enqueue(i, with_marks(i, batch));
  }
}

void ChannelWriter::enqueue(std::size_t index, Element element) {
  Channel& channel = channels_[index];
  if (channel.waiting.empty() && (!element.batch || has_credit(channel, element.batch->bytes()))) {
    send_now(index, std::move(element));
    return;
  }
  wait(channel, std::move(element));
}

void ChannelWriter::wait(Channel& channel, Element element) {
  if (channel.waiting.empty()) ++waiting_channels_;
  if (element.batch) ++waiting_batches_;
  if (element.kind == Element::Kind::kBarrier) ++waiting_barriers_;
  channel.waiting.push_back(std::move(element));
}

void ChannelWriter::send_now(std::size_t index, Element element) {
  Channel& channel = channels_[index];
  if (element.batch) {
    ++channel.in_flight;
    channel.bytes_in_flight += element.batch->bytes();
  }
  send_(index, std::move(element));
}

void ChannelWriter::on_credit(std::size_t index, BatchPtr batch, std::size_t bytes) {
  Channel& channel = channels_[index];
  check(channel.in_flight > 0 && channel.bytes_in_flight >= bytes,
        "more credit came back than was used");
  --channel.in_flight;
  channel.bytes_in_flight -= bytes;
  BatchPool::of_this_thread().put(std::move(batch));
  drain(index);
  send_if_awaited(index);
}

void ChannelWriter::hold(std::size_t index, bool held) {
  channels_[index].held = held;
  if (held) return;
  drain(index);
  send_if_awaited(index);
}

void ChannelWriter::drain(std::size_t index) {
  Channel& channel = channels_[index];
  if (channel.waiting.empty()) return;
  while (!channel.waiting.empty()) {
    Element& first = channel.waiting.front();
    if (first.batch && !has_credit(channel, first.batch->bytes())) return;
    if (first.batch) --waiting_batches_;
    if (first.kind == Element::Kind::kBarrier) --waiting_barriers_;
    send_now(index, std::move(first));
    channel.waiting.pop_front();
  }
  --waiting_channels_;
}

bool ChannelWriter::drained() const {
  if (waiting_channels_ > 0) return false;
  for (const BatchPtr& partial : partials_) {
    if (!partial->empty()) return false;
  }
  return true;
}

}  // namespace millrace::detail
