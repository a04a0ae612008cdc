// Says from what was shown which sightings are lost, duplicated, reordered or altered.
#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "millrace/testing/verifier/verdict.h"
#include "millrace/testing/verifier/witness.h"

namespace millrace::test {

class SightingCheck {
 public:
  SightingCheck(const EventPattern& pattern, Verdict& verdict);

  // In the order in which they were shown.
  void add(const Sighting& sighting);
  // After the last one: what is lost.
  void finish();

 private:
  using Key = std::pair<std::uint32_t, std::uint64_t>;

  struct Total {
    std::uint64_t rounds = 0;
    std::uint64_t sum = 0;
  };

  Sighting expected(const Sighting& sighting);
  void check_order(const Sighting& sighting);
  void tell(Harm harm, Occasion occasion, std::uint32_t partition, std::uint64_t sequence,
            std::string_view more = {});
  std::uint8_t& times(const Sighting& sighting) {
    return times_[static_cast<std::size_t>(sighting.occasion)]
                 [sighting.partition * pattern_.events() + sighting.sequence];
  }

  const EventPattern& pattern_;
  Verdict& verdict_;
  std::vector<std::uint8_t> times_[2];  // that each event was shown, by occasion
  std::vector<std::uint64_t> next_;     // the least sequence number by partition and key
  std::vector<Total> totals_;           // by partition and key, up to the last event seen
  std::set<Key> altered_;               // what goes on wrong is told once
};

}  // namespace millrace::test
