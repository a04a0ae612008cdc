// Sources, as the engine sees them: operators without input that emit when they are polled, and the
// enumerator that hands out the splits of a source that is read in parallel. millrace/connect.h has
// the classes that users derive from.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/operators/operator.h"
#include "millrace/operators/watermark_generator.h"

namespace millrace {

// What a source answers when it was polled: when to poll it again.
class Poll {
 public:
  enum class Kind : std::uint8_t { kMore, kIdle, kEnd };

  static Poll more() { return {Kind::kMore, std::chrono::nanoseconds(0)}; }  // at once
  // After the pause, or sooner if there is cause to; at the latest after an hour.
  static Poll idle_for(std::chrono::nanoseconds pause) {
    return {Kind::kIdle, std::min(pause, kLongestPause)};
  }
  static Poll idle() { return idle_for(kLongestPause); }                   // until something comes
  static Poll end() { return {Kind::kEnd, std::chrono::nanoseconds(0)}; }  // no more, ever

  Kind kind() const { return kind_; }
  std::chrono::nanoseconds pause() const { return pause_; }

 private:
  static constexpr std::chrono::nanoseconds kLongestPause = std::chrono::hours(1);

  Poll(Kind kind, std::chrono::nanoseconds pause) : kind_(kind), pause_(pause) {}

  Kind kind_;
  std::chrono::nanoseconds pause_;
};

}  // namespace millrace

namespace millrace::detail {

class AnySource : public Operator {
 public:
  // Fills the outputs as far as input is there. Never blocks.
  virtual Result<Poll> poll(Outputs& out) = 0;

  // Whether the source has read all splits that it was given, and may be given more.
  virtual bool wants_split() const { return false; }
  // An encoded split, and the schema of its type; none if that is certainly the type's now.
  virtual Status assign(std::string_view, std::string_view = {}) { return {}; }
  virtual void no_more_splits() {}

  // Its records have event time; before restore().
  void set_event_time(EventTime time) { watermarks_.emplace(std::move(time)); }
  WatermarkGenerator* watermarks() final { return watermarks_ ? &*watermarks_ : nullptr; }

  Result<Progress> process(std::uint32_t, Cursor&, Outputs&) final {
    return internal("a source has no input");
  }

 protected:
  // How many records a poll may read from the split.
  std::size_t limit(const SplitTime& split, const Outputs& outputs) const;
  // After a poll, which gave records of that split alone: stamps them. True if a watermark is due.
  bool stamp(SplitTime& split, Outputs& outputs, Poll::Kind end);

  std::optional<WatermarkGenerator> watermarks_;
};

// Hands out the splits of one source. One instance for all of its subtasks.
class SplitEnumerator {
 public:
  virtual ~SplitEnumerator() = default;

  // Finds the splits, for that many readers.
  virtual Status discover(std::uint32_t parallelism) = 0;

  // The next split, encoded; nothing when all were handed out.
  virtual std::optional<std::string> next() = 0;

  // Of the splits' type.
  virtual std::string schema() const { return {}; }
};

using EnumeratorFactory = std::function<std::unique_ptr<SplitEnumerator>()>;

}  // namespace millrace::detail
