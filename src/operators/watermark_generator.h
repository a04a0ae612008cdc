// Stamps records with their event time and makes the watermarks of a stream: for a source inside of
// it, with the progress of each split apart; behind any other operator in EventTimeOperator.
//
// A watermark stands behind every kWatermarkInterval-th record of a split and behind its last one,
// so that its place depends on the split's records alone: neither on the size of batches nor on how
// fast they move. Where the input has no end there is one more when it runs dry. The watermark of
// the stream never goes back, and is part of the snapshot, as the splits' progress is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "millrace/core/records/batch.h"
#include "millrace/core/result.h"
#include "millrace/operators/watermark_strategy.h"
#include "millrace/state/snapshot.h"

namespace millrace::detail {

constexpr std::uint64_t kWatermarkInterval = 512;

// Gives each record of a batch its timestamp; returns the latest one.
using Stamp = std::function<Timestamp(AnyBatch&)>;

struct EventTime {
  Stamp stamp;
  WatermarkStrategy strategy;
  bool bounded = true;  // the input ends: watermarks depend on its records alone
};

// How far a split was read.
struct SplitTime {
  Timestamp latest = kMinTimestamp;
  std::uint64_t records = 0;

  friend bool operator==(const SplitTime&, const SplitTime&) = default;
};

class WatermarkGenerator {
 public:
  explicit WatermarkGenerator(EventTime time) : time_(std::move(time)) {}

  const EventTime& time() const { return time_; }

  // How many records may be read before the split's next watermark is due.
  static std::size_t room(const SplitTime& split) {
    return kWatermarkInterval - split.records % kWatermarkInterval;
  }

  // Stamps a batch that was read from the split. True if a watermark is due behind it.
  bool stamp(SplitTime& split, AnyBatch& batch);

  // What the split's records allow: kMinTimestamp before the first one.
  Timestamp watermark_of(const SplitTime& split) const;

  // The stream's watermark; one that is not later than before changes nothing.
  void advance(Timestamp watermark);
  Timestamp current() const { return current_; }

  // Whether a watermark is to go out, before any further record.
  bool pending() const { return pending_; }
  std::optional<Timestamp> take();

  // The next records tell those who read the stream that it is no longer idle.
  void mark_idle() { idle_ = true; }

  // The stream's watermark; after a change of parallelism the least of all subtasks'.
  Status snapshot(Snapshot& snapshot) const;
  Status restore(const Snapshot& snapshot);

 private:
  EventTime time_;
  Timestamp current_ = kMinTimestamp;
  bool pending_ = false;
  bool idle_ = false;
};

// The loop over a batch, typed; `time_of` is a member or a function of the record.
template <class T, class F>
Stamp stamp_of(F time_of) {
  return [time_of = std::move(time_of)](AnyBatch& batch) {
    const std::span<const T> values = std::as_const(static_cast<Batch<T>&>(batch)).values();
    Timestamp* const to = batch.stamps().data();
    Timestamp latest = kMinTimestamp;
    for (std::size_t row = 0; row < values.size(); ++row) {
      const Timestamp time = std::invoke(time_of, values[row]);
      to[row] = time;
      latest = latest < time ? time : latest;
    }
    return latest;
  };
}

}  // namespace millrace::detail
