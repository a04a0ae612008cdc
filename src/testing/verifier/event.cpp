#include "millrace/testing/verifier/event.h"

#include <bit>

#include "millrace/core/records/hash.h"
#include "millrace/core/text.h"

namespace millrace::test {
namespace {

using detail::join_hash;
using detail::mix64;

std::uint64_t checksum_of(std::uint64_t seed, const Event& event) {
  std::uint64_t hash = mix64(seed);
  hash = join_hash(hash, event.partition);
  hash = join_hash(hash, event.sequence);
  hash = join_hash(hash, event.key);
  return join_hash(hash, static_cast<std::uint64_t>(event.at.time_since_epoch().count()));
}

}  // namespace

Status EventPattern::check() const {
  if (partitions > 0 && rounds > 0 && std::has_single_bit(keys)) return {};
  return invalid_argument(concat("events of ", partitions, " partitions, ", rounds, " rounds and ",
                                 keys,
                                 " keys: expected at least one partition and round, and a "
                                 "power of two as the number of keys"));
}

Event EventPattern::event(std::uint32_t partition, std::uint64_t sequence) const {
  Event event{.partition = partition,
              .sequence = sequence,
              .key = sequence % keys ^ mask(partition, round_of(sequence)),
              .at = time_of(partition, sequence)};
  event.checksum = checksum_of(seed, event);
  return event;
}

bool EventPattern::is_whole(const Event& event) const {
  return event.checksum == checksum_of(seed, event);
}

std::uint64_t EventPattern::sequence_of(std::uint32_t partition, std::uint64_t key,
                                        std::uint64_t round) const {
  return round * keys + (key ^ mask(partition, round));
}

std::uint64_t EventPattern::mask(std::uint32_t partition, std::uint64_t round) const {
  return join_hash(join_hash(mix64(seed), partition), round) & (keys - 1);
}

Timestamp EventPattern::time_of(std::uint32_t partition, std::uint64_t sequence) const {
  return Timestamp(Duration(static_cast<std::int64_t>(partition * events() + sequence)));
}

std::uint64_t EventPattern::sequence_at(std::uint32_t partition, Timestamp time) const {
  return static_cast<std::uint64_t>((time - time_of(partition, 0)).count());
}

}  // namespace millrace::test
