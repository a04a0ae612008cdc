// What the verifier found: each harm by level, kind and place, and their number.
//
// State and output are looked at apart. An engine may count an event twice in state and show it
// once, and the other way round.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::test {

enum class Level : std::uint8_t { kState, kOutput };
enum class Harm : std::uint8_t { kLost, kDuplicated, kReordered, kAltered };

std::string_view to_string(Level level);
std::string_view to_string(Harm harm);

struct Damage {
  Level level = Level::kOutput;
  Harm harm = Harm::kLost;
  std::string what;  // was harmed, and how

  friend bool operator==(const Damage&, const Damage&) = default;
};

class Verdict {
 public:
  void add(Level level, Harm harm, std::string what);

  bool clean() const { return damages_.empty(); }
  std::uint64_t count(Level level, Harm harm) const;
  const std::vector<Damage>& damages() const { return damages_; }

  // The numbers, and the first few of each kind: a line for each.
  std::string text(std::size_t most_of_each = 5) const;

 private:
  std::vector<Damage> damages_;
};

}  // namespace millrace::test
