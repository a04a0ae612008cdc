#include "millrace/coordination/regions.h"

#include <algorithm>

namespace millrace::detail {

std::vector<std::size_t> regions_of(const ExecutionPlan& plan) {
  std::vector<std::size_t> regions(plan.tasks.size());
  for (std::size_t i = 0; i < regions.size(); ++i) regions[i] = i;
  for (const TaskEdge& edge : plan.edges) {
    const std::size_t from = regions[edge.from.value()];
    const std::size_t to = regions[edge.to.value()];
    std::ranges::replace(regions, std::max(from, to), std::min(from, to));
  }
  std::vector<std::size_t> firsts = regions;
  std::ranges::sort(firsts);
  firsts.erase(std::unique(firsts.begin(), firsts.end()), firsts.end());
  for (std::size_t& region : regions) {
    region = static_cast<std::size_t>(std::ranges::lower_bound(firsts, region) - firsts.begin());
  }
  return regions;
}

}  // namespace millrace::detail
