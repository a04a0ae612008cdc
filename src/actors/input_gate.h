// The receiving side of a task: the elements of all its input channels, in the order of arrival;
// the watermark over its channels, and which of them are idle or have ended.
//
// A checkpoint's barrier is handed out once all channels have given it, those that have ended too.
// Where records count exactly once, a channel that has given it is held until then: what comes on
// it is set aside. Where they count at least once, only its end is, and what comes behind that: for
// a checkpoint a task has finished only if all channels had ended before its barrier. A barrier is
// of use only while it is newer than all that the gate has dealt with: a newer one gives up the one
// before.
//
// A barrier that has waited too long overtakes: the checkpoint is taken at once, and what its
// channels hold before it is recorded, now and as it arrives, for it belongs to the snapshot.
//
// Bounded by the credit that the senders hold. An input that others must wait for (read_first) is
// read to its end before they are.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "millrace/actors/element.h"
#include "millrace/actors/in_flight.h"
#include "millrace/operators/watermarks.h"
#include "millrace/plan/execution_settings.h"

namespace millrace::detail {

struct InputChannel {
  std::uint32_t input = 0;  // of the chain's head
  bool read_first = false;
  ChannelRecords records;
};

class InputGate {
 public:
  explicit InputGate(std::vector<InputChannel> channels);

  void set_mode(CheckpointMode mode) { mode_ = mode; }

  // False for a barrier that stands behind records which must wait for another input to be read
  // first: its checkpoint can never be complete, and must be declined.
  bool push(std::size_t channel, Element element);

  struct Next {
    std::size_t channel;
    std::uint32_t input;
    Element element;
  };
  // The next element to process. A watermark is handed out only when it raises the watermark of the
  // whole task or ends its idleness, idleness only when it is the whole task's, an end only when it
  // is the last one of all channels, a barrier when it is too.
  std::optional<Next> pop();

  // The checkpoint will not complete: its barriers hold nothing, and are not handed out.
  void give_up(CheckpointId checkpoint);

  // The newest barrier that has come, while it is still to be handed out. Null if there is none, or
  // none that could overtake: where one input is read first, nothing of the others may be before
  // it.
  const Barrier* waiting_barrier() const;
  // Whether some channel has not given the barrier yet.
  bool awaits(CheckpointId checkpoint) const;

  // The waiting barrier is not handed out any more. Tells `record` of all that is before it, and,
  // while the checkpoint awaits channels, of what comes before it from now on.
  using Record = std::function<void(std::size_t channel, const Element& element)>;
  void overtake(Record record);

  std::size_t channels() const { return channels_.size(); }
  const ChannelRecords& records_of(std::size_t channel) const { return channels_[channel].records; }
  bool empty() const { return ready_.empty(); }
  bool ended() const { return open_ == 0; }
  Timestamp watermark() const { return watermarks_.current(); }

 private:
  struct Arrived {
    std::size_t channel;
    Element element;
  };

  bool waits_for_records(std::size_t channel) const;
  bool is_of_use(CheckpointId checkpoint) const;
  void expect(const Barrier& barrier);
  bool record(std::size_t channel, const Element& element);
  void end(std::size_t channel);
  std::optional<Element> time_change();
  bool is_held(std::size_t channel, const Element& element) const;
  bool has_aside(std::size_t channel) const;
  bool align(std::size_t channel, const Barrier& barrier);
  void release();

  std::vector<InputChannel> channels_;
  WatermarkTracker watermarks_;
  Timestamp told_watermark_ = kMinTimestamp;
  bool told_idle_ = false;
  std::size_t last_channel_ = 0;  // that gave an element
  std::deque<Arrived> ready_;
  std::deque<Arrived> held_;  // until the inputs that are read first have ended
  std::size_t open_;
  std::size_t open_first_;

  CheckpointMode mode_ = CheckpointMode::kExactlyOnce;
  Barrier arrived_{CheckpointId(0)};  // the newest that came, handed out or not
  CheckpointId newest_{0};            // of which a barrier's turn came, or which was given up
  std::vector<bool> aligned_;         // channels that have given the newest one's barrier
  std::size_t missing_ = 0;           // channels that have not; 0 when no barrier is awaited
  std::deque<Arrived> aside_;         // what came on channels that are held
  Record record_;                     // while channels are awaited by a barrier that overtook
};

}  // namespace millrace::detail
