// The records that an engine is verified with. What they are follows from the seed alone, so that
// who finds one knows whether it is whole, and who finds none knows which one is missing.
//
// Events come in partitions, each an order of its own, and in rounds: every key comes once in every
// round, at a place that the seed chooses. So the event of a key that comes next is known.
#pragma once

#include <cstdint>

#include "millrace/core/result.h"
#include "millrace/core/time.h"

namespace millrace::test {

struct Event {
  std::uint32_t partition = 0;
  std::uint64_t sequence = 0;  // in its partition, from 0
  std::uint64_t key = 0;
  Timestamp at = kMinTimestamp;
  std::uint64_t checksum = 0;  // of all of the above, and of the seed

  friend bool operator==(const Event&, const Event&) = default;
};

struct EventPattern {
  std::uint64_t seed = 1;
  std::uint32_t partitions = 4;
  std::uint64_t rounds = 64;
  std::uint64_t keys = 256;  // a power of two

  Status check() const;

  std::uint64_t events() const { return rounds * keys; }  // of a partition
  Event event(std::uint32_t partition, std::uint64_t sequence) const;
  bool is_whole(const Event& event) const;

  // The place of a key in a round, and the round of a place.
  std::uint64_t sequence_of(std::uint32_t partition, std::uint64_t key, std::uint64_t round) const;
  std::uint64_t round_of(std::uint64_t sequence) const { return sequence / keys; }

  // Times are one for each event. Partitions follow each other, so that whoever reads several of
  // them in turn reads no late ones.
  Timestamp time_of(std::uint32_t partition, std::uint64_t sequence) const;
  std::uint64_t sequence_at(std::uint32_t partition, Timestamp time) const;
  Timestamp end() const { return time_of(partitions, 0); }  // after all events

 private:
  std::uint64_t mask(std::uint32_t partition, std::uint64_t round) const;
};

}  // namespace millrace::test
