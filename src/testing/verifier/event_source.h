// events(pattern): the source of what is verified. Parallel: each partition is a split, whose next
// sequence number is its position in a checkpoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "millrace/operators/endpoints.h"
#include "millrace/testing/verifier/event.h"

namespace millrace::test {

// How fast events come. With a pause, after so many of a partition: a job of few events then takes
// long enough for something to happen to it.
struct EventPace {
  std::uint64_t burst = 256;
  std::chrono::microseconds pause{0};
};

// What is left of a partition.
struct EventSplit {
  std::uint32_t partition = 0;
  std::uint64_t next = 0;
};

class EventSource final : public SplitSource<Event, EventSplit> {
 public:
  static constexpr bool kBounded = true;

  EventSource(EventPattern pattern, EventPace pace) : pattern_(pattern), pace_(pace) {}

  Result<std::vector<EventSplit>> discover(std::uint32_t parallelism) override;
  Status open_split(const EventSplit&) override { return {}; }
  Result<Poll> poll(EventSplit& split, Collector<Event>& out) override;

 private:
  EventPattern pattern_;
  EventPace pace_;
};

SourceSpec<Event> events(const EventPattern& pattern, const EventPace& pace = {});

}  // namespace millrace::test
