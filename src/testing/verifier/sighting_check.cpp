#include "millrace/testing/verifier/sighting_check.h"

#include "millrace/core/text.h"

namespace millrace::test {

SightingCheck::SightingCheck(const EventPattern& pattern, Verdict& verdict)
    : pattern_(pattern),
      verdict_(verdict),
      next_(pattern.partitions * pattern.keys),
      totals_(next_.size()) {
  for (std::vector<std::uint8_t>& times : times_) {
    times.resize(pattern.partitions * pattern.events());
  }
}

void SightingCheck::add(const Sighting& sighting) {
  const bool known =
      sighting.partition < pattern_.partitions && sighting.sequence < pattern_.events();
  if (!known) {
    return tell(Harm::kAltered, sighting.occasion, sighting.partition, sighting.sequence,
                ", which was never emitted");
  }
  if (times(sighting) < 2) ++times(sighting);
  if (times(sighting) > 1) {
    return tell(Harm::kDuplicated, sighting.occasion, sighting.partition, sighting.sequence);
  }
  const Sighting right = expected(sighting);
  if (sighting != right && altered_.insert({sighting.partition, right.key}).second) {
    tell(Harm::kAltered, sighting.occasion, sighting.partition, sighting.sequence,
         concat(": key ", sighting.key, ", count ", sighting.count, ", sum ", sighting.sum,
                "; expected key ", right.key, ", count ", right.count, ", sum ", right.sum));
  }
  if (sighting.occasion == Occasion::kEvent) check_order(right);
}

Sighting SightingCheck::expected(const Sighting& sighting) {
  const Event event = pattern_.event(sighting.partition, sighting.sequence);
  Sighting right{.occasion = sighting.occasion,
                 .partition = event.partition,
                 .sequence = event.sequence,
                 .key = event.key};
  if (sighting.occasion == Occasion::kTimer) return right;
  const std::uint64_t round = pattern_.round_of(event.sequence);
  right.count = round + 1;
  Total& total = totals_[event.partition * pattern_.keys + event.key];
  if (total.rounds > right.count) total = {};
  for (; total.rounds < right.count; ++total.rounds) {
    total.sum += pattern_.sequence_of(event.partition, event.key, total.rounds);
  }
  right.sum = total.sum;
  return right;
}

void SightingCheck::check_order(const Sighting& sighting) {
  std::uint64_t& next = next_[sighting.partition * pattern_.keys + sighting.key];
  if (sighting.sequence < next) {
    tell(Harm::kReordered, sighting.occasion, sighting.partition, sighting.sequence,
         concat(", shown after event ", next - 1));
  } else {
    next = sighting.sequence + 1;
  }
}

void SightingCheck::finish() {
  for (std::uint32_t partition = 0; partition < pattern_.partitions; ++partition) {
    for (std::uint64_t sequence = 0; sequence < pattern_.events(); ++sequence) {
      Sighting sighting{.partition = partition, .sequence = sequence};
      if (times(sighting) == 0) tell(Harm::kLost, Occasion::kEvent, partition, sequence);
      if (!has_timer(pattern_.round_of(sequence))) continue;
      sighting.occasion = Occasion::kTimer;
      if (times(sighting) == 0) tell(Harm::kLost, Occasion::kTimer, partition, sequence);
    }
  }
}

void SightingCheck::tell(Harm harm, Occasion occasion, std::uint32_t partition,
                         std::uint64_t sequence, std::string_view more) {
  verdict_.add(Level::kOutput, harm,
               concat(occasion == Occasion::kTimer ? "the timer of event " : "event ", sequence,
                      " of partition ", partition, more));
}

}  // namespace millrace::test
