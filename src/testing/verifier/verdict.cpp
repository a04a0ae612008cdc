#include "millrace/testing/verifier/verdict.h"

#include <algorithm>

#include "millrace/core/text.h"

namespace millrace::test {

std::string_view to_string(Level level) { return level == Level::kState ? "state" : "output"; }

std::string_view to_string(Harm harm) {
  constexpr std::string_view kWords[] = {"lost", "duplicated", "reordered", "altered"};
  return kWords[static_cast<std::size_t>(harm)];
}

void Verdict::add(Level level, Harm harm, std::string what) {
  damages_.push_back({level, harm, std::move(what)});
}

std::uint64_t Verdict::count(Level level, Harm harm) const {
  return static_cast<std::uint64_t>(std::ranges::count_if(damages_, [&](const Damage& damage) {
    return damage.level == level && damage.harm == harm;
  }));
}

std::string Verdict::text(std::size_t most_of_each) const {
  if (clean()) return "nothing is lost, duplicated, reordered or altered\n";
  std::string text;
  for (const Level level : {Level::kState, Level::kOutput}) {
    for (const Harm harm : {Harm::kLost, Harm::kDuplicated, Harm::kReordered, Harm::kAltered}) {
      const std::uint64_t all = count(level, harm);
      if (all == 0) continue;
      text += concat(to_string(level), ": ", all, " ", to_string(harm), "\n");
      std::size_t told = 0;
      for (const Damage& damage : damages_) {
        if (damage.level != level || damage.harm != harm) continue;
        if (told++ == most_of_each) break;
        text += concat("  ", damage.what, "\n");
      }
      if (all > most_of_each) text += concat("  and ", all - most_of_each, " more\n");
    }
  }
  return text;
}

}  // namespace millrace::test
