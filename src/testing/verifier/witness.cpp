#include "millrace/testing/verifier/witness.h"

#include "millrace/core/records/hash.h"

namespace millrace::test {
namespace {

constexpr std::uint64_t kMostJumps = 32;  // that are remembered of a key

}  // namespace

void Tally::add(const EventPattern& pattern, const Event& event) {
  if (!pattern.is_whole(event)) ++altered;
  ++count;
  next = std::max(next, pattern.round_of(event.sequence) + 1);
  sum += event.sequence;
  hash ^= detail::mix64(event.sequence);
}

void Witness::process(const Event& event, Context& context, Collector<Sighting>& out) {
  const std::uint64_t round = pattern_.round_of(event.sequence);
  if (!tally_) context.timers().at(pattern_.end());
  if (has_timer(round)) context.timers().at(event.at);
  Tally& tally = tally_.edit();
  if (round != tally.next && jumps_.size() < kMostJumps) jumps_.add({tally.next, round});
  tally.add(pattern_, event);
  out.emit({.occasion = Occasion::kEvent,
            .partition = event.partition,
            .sequence = event.sequence,
            .key = event.key,
            .count = tally.count,
            .sum = tally.sum});
}

void Witness::on_timer(Timestamp due, Context& context, Collector<Sighting>& out) {
  const auto& [partition, key] = context.key();
  if (due != pattern_.end()) {
    return out.emit({.occasion = Occasion::kTimer,
                     .partition = partition,
                     .sequence = pattern_.sequence_at(partition, due),
                     .key = key});
  }
  Account account{
      .partition = partition, .key = key, .tally = tally_.value_or(Tally()), .jumps = {}};
  for (const Jump& jump : jumps_.values()) account.jumps.push_back(jump);
  context.emit(kAccounts, std::move(account));
}

}  // namespace millrace::test
