#include "millrace/state/redistribution.h"

#include <algorithm>
#include <set>

#include "millrace/core/mutant.h"

namespace millrace::detail {
namespace {

// All subtasks' elements of one piece. A subtask without elements may not know their schema.
StatePiece together(std::span<const Snapshot::Pieces* const> before, std::string_view name) {
  StatePiece all;
  for (const Snapshot::Pieces* pieces : before) {
    const auto piece = pieces->find(name);
    if (piece == pieces->end()) continue;
    all.redistribution = piece->second.redistribution;
    if (all.schema.empty()) all.schema = piece->second.schema;
    const std::vector<std::string>& elements = piece->second.elements;
    all.elements.insert(all.elements.end(), elements.begin(), elements.end());
  }
  return all;
}

StatePiece part(const StatePiece& all, std::size_t subtask, std::size_t parallelism) {
  const auto begin = all.elements.begin();
  const auto at = [&](std::size_t index) {
    return begin + static_cast<std::ptrdiff_t>(all.elements.size() * index / parallelism);
  };
  return {.elements = {at(subtask), at(subtask + 1)}, .schema = all.schema};
}

void put_own(Snapshot& snapshot, const Snapshot::Pieces& before, std::string_view name) {
  if (const auto own = before.find(name); own != before.end()) snapshot.put(name, own->second);
}

}  // namespace

std::vector<Snapshot> redistribute(std::span<const Snapshot::Pieces* const> before,
                                   std::uint32_t parallelism) {
  std::set<std::string_view> names;
  for (const Snapshot::Pieces* pieces : before) {
    for (const auto& [name, piece] : *pieces) names.insert(name);
  }
  std::vector<Snapshot> after(parallelism);
  for (const std::string_view name : names) {
    StatePiece all = together(before, name);
    const bool loses = is_mutant(Mutant::kLoseSplit) && name == ".splits" && !all.elements.empty();
    if (loses) all.elements.pop_back();
    for (std::uint32_t subtask = 0; subtask < parallelism; ++subtask) {
      if (all.redistribution == Redistribution::kUnion) {
        after[subtask].put(name, all);
      } else if (all.redistribution == Redistribution::kCopy || before.size() == parallelism) {
        put_own(after[subtask], *before[subtask % before.size()], name);
      } else {
        after[subtask].put(name, part(all, subtask, parallelism));
      }
    }
  }
  return after;
}

}  // namespace millrace::detail
