#include "millrace/testing/verifier/event_source.h"

#include <algorithm>

namespace millrace::test {

Result<std::vector<EventSplit>> EventSource::discover(std::uint32_t) {
  if (Status checked = pattern_.check(); !checked) return checked.error();
  std::vector<EventSplit> splits;
  for (std::uint32_t i = 0; i < pattern_.partitions; ++i) splits.push_back({.partition = i});
  return splits;
}

Result<Poll> EventSource::poll(EventSplit& split, Collector<Event>& out) {
  const std::uint64_t burst_end = split.next - split.next % pace_.burst + pace_.burst;
  const std::uint64_t end = std::min(burst_end, pattern_.events());
  for (; split.next < end && !out.full(); ++split.next) {
    out.emit(pattern_.event(split.partition, split.next));
  }
  if (split.next >= pattern_.events()) return Poll::end();
  const bool rests = pace_.pause.count() > 0 && split.next == burst_end;
  return rests ? Poll::idle_for(pace_.pause) : Poll::more();
}

SourceSpec<Event> events(const EventPattern& pattern, const EventPace& pace) {
  SourceSpec<Event> spec = source<EventSource>(pattern, pace);
  spec.kind = "events";
  return spec;
}

}  // namespace millrace::test
