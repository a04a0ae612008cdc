// The sending side of one exchange: collects records into one partial batch per channel and sends
// batches as far as the receivers' credit goes.
//
// A batch is sent when it is full. A partial one is sent when the input has run empty, and then
// only if the receiver has nothing more of this channel to do; otherwise it goes on filling until
// the receiver's credit comes back. So an idle pipeline has the latency of one record, and a busy
// one the throughput of full batches.
//
// Watermarks ride behind the records before them and never force a batch out. Watermarks, barriers
// and the end need no credit, but keep their place in the order; a barrier that has waited too long
// leaves it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "millrace/actors/batch_pool.h"
#include "millrace/actors/element.h"
#include "millrace/actors/in_flight.h"
#include "millrace/operators/chain.h"
#include "millrace/operators/partitioner.h"

namespace millrace::detail {

// What one channel may have under way: sent and not yet returned by the receiver.
struct ChannelLimits {
  std::size_t batches = 4;
  std::size_t bytes = 4 * kBatchBytes;
  std::size_t batch_records = kBatchRecords;
};

class ChannelWriter final : public Outlet {
 public:
  // Takes what leaves on a channel of this exchange.
  using Send = std::function<void(std::size_t channel, Element element)>;

  // Without a partitioner every batch goes to all channels, shared.
  ChannelWriter(ChannelRecords records, std::size_t channels,
                std::unique_ptr<Partitioner> partitioner, Send send, ChannelLimits limits = {});

  bool ready() const override { return waiting_channels_ == 0 || may_overdraw(); }
  void write(BatchPtr& batch, bool shared) override;
  void watermark(Timestamp watermark) override;
  void mark_idle() override;
  void barrier(const Barrier& barrier);
  void finish() override;

  // The receiver is done with a batch of channel `index`; it may give the batch back for reuse.
  void on_credit(std::size_t index, BatchPtr batch, std::size_t bytes);

  // Whether batches of channel `index` wait as if there were no credit: the way there is full.
  void hold(std::size_t index, bool held);

  // The input ran empty: partial batches may go.
  void flush();

  // A barrier waits behind batches that have no credit.
  bool holds_barrier() const { return waiting_barriers_ > 0; }
  // Sends the barriers that wait; `record` is told of what they overtake.
  using Record = std::function<void(std::size_t channel, const Element& element)>;
  void overtake(const Record& record);
  // Whether to take some more than there is credit for, so that a chain may come to the end of what
  // it is at work on.
  void let_overdraw(bool overdraw) { overdraw_ = overdraw; }

  // What a barrier had overtaken, when the task goes on from its checkpoint: waits for send().
  void restore(std::size_t index, Element element);
  void send_restored();

  std::size_t channels() const { return channels_.size(); }
  const ChannelRecords& records() const { return records_; }

  // Everything was sent, and nothing waits for credit.
  bool drained() const;

 private:
  struct Channel {
    Timestamp watermark = kMinTimestamp;  // to follow the partial batch, and then, if `idle`, so
    bool idle = false;
    std::deque<Element> waiting;  // in order, the first a batch without credit
    std::size_t in_flight = 0;
    std::size_t bytes_in_flight = 0;
    bool held = false;
    bool flushing = false;  // the partial batch goes as soon as the receiver has nothing to do
  };

  // A receiver with that many batches before it is busy: a partial batch waits and fills.
  static constexpr std::size_t kBusyBatches = 1;

  bool may_overdraw() const {
    return overdraw_ && waiting_batches_ < limits_.batches * channels_.size();
  }
  bool broadcasts() const { return partitioner_ == nullptr; }
  BatchPtr& partial_of(std::size_t index) { return partials_[broadcasts() ? 0 : index]; }
  bool has_credit(const Channel& channel, std::size_t bytes) const;
  bool is_full(const AnyBatch& batch) const;
  void scatter(AnyBatch& batch, bool shared);
  void hand_over(BatchPtr& batch, bool shared);
  void share(BatchPtr& batch, bool shared);
  Element with_marks(std::size_t index, BatchPtr batch);
  void send_partial(std::size_t index);
  void send_partial_to_all();
  void send_if_awaited(std::size_t index);
  void send_all_partials();
  void enqueue(std::size_t index, Element element);
  void wait(Channel& channel, Element element);
  void drain(std::size_t index);
  void send_now(std::size_t index, Element element);
  BatchPtr fresh() const { return BatchPool::of_this_thread().take(*records_.prototype); }

  std::unique_ptr<Partitioner> partitioner_;
  Send send_;
  const ChannelLimits limits_;
  ChannelRecords records_;
  std::vector<Channel> channels_;
  std::vector<BatchPtr> partials_;  // of each channel; one for all when broadcasting
  std::size_t waiting_channels_ = 0;
  std::size_t waiting_batches_ = 0;
  std::size_t waiting_barriers_ = 0;
  bool overdraw_ = false;
};

}  // namespace millrace::detail
