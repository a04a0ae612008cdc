// The keyed function that sees every event and keeps account of them in state: an engine that
// loses, repeats or exchanges an event, or a part of the state, cannot put the account right again.
//
// What it emits depends on the events alone, however they are spread over subtasks and whatever
// fails: a sighting for every event, one more when the timer of every eighth fires, and to the side
// output kAccounts the account of each key, as it stands in state after the last event.
#pragma once

#include <tuple>

#include "millrace/operators/keyed_process.h"
#include "millrace/operators/output_tag.h"
#include "millrace/testing/verifier/event.h"

namespace millrace::test {

enum class Occasion : std::uint8_t { kEvent, kTimer };

struct Sighting {
  Occasion occasion = Occasion::kEvent;
  std::uint32_t partition = 0;
  std::uint64_t sequence = 0;
  std::uint64_t key = 0;
  std::uint64_t count = 0;  // of the key's events up to this one; a timer's is 0
  std::uint64_t sum = 0;    // of their sequence numbers

  friend bool operator==(const Sighting&, const Sighting&) = default;
};

// An event came that was not the next one of its key.
struct Jump {
  std::uint64_t expected = 0;  // rounds
  std::uint64_t found = 0;

  friend bool operator==(const Jump&, const Jump&) = default;
};

// Of a key's events in a partition.
struct Tally {
  std::uint64_t count = 0;
  std::uint64_t next = 0;     // the round that is expected
  std::uint64_t sum = 0;      // of the sequence numbers
  std::uint64_t hash = 0;     // of the sequence numbers, exclusive or
  std::uint64_t altered = 0;  // events whose checksum was wrong

  void add(const EventPattern& pattern, const Event& event);

  friend bool operator==(const Tally&, const Tally&) = default;
};

struct Account {
  std::uint32_t partition = 0;
  std::uint64_t key = 0;
  Tally tally;
  std::vector<Jump> jumps;  // the first ones

  friend bool operator==(const Account&, const Account&) = default;
};

inline constexpr OutputTag<Account> kAccounts{"accounts"};
inline constexpr std::uint64_t kRoundsBetweenTimers = 8;

// The round's event has a timer.
constexpr bool has_timer(std::uint64_t round) { return round % kRoundsBetweenTimers == 0; }

// Keyed by partition and key.
class Witness : public KeyedProcess<std::tuple<std::uint32_t, std::uint64_t>, Event, Sighting> {
 public:
  explicit Witness(EventPattern pattern) : pattern_(pattern) {}

  void process(const Event& event, Context& context, Collector<Sighting>& out) override;
  void on_timer(Timestamp due, Context& context, Collector<Sighting>& out) override;

 private:
  const EventPattern pattern_;
  ValueState<Tally> tally_{*this, "tally"};
  ListState<Jump> jumps_{*this, "jumps"};
};

}  // namespace millrace::test
