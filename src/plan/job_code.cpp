#include "millrace/plan/job_code.h"

#include <algorithm>
#include <tuple>

namespace millrace::detail {
namespace {

// What an edge is in any order of the plan. Two that agree are the same to their code.
auto identity_of(const LogicalPlan& plan, const EdgeSpec& edge) {
  return std::tuple(plan.at(edge.from).id, edge.output, plan.at(edge.to).id, edge.input,
                    edge.exchange);
}

}  // namespace

JobCode code_for(const LogicalPlan& wanted, const LogicalPlan& plan, JobCode code) {
  std::vector<PartitionerFactory> edges;
  for (const EdgeSpec& edge : wanted.edges) {
    const auto same = std::ranges::find_if(plan.edges, [&](const EdgeSpec& candidate) {
      return identity_of(plan, candidate) == identity_of(wanted, edge);
    });
    check(same != plan.edges.end(), "plans that do not differ have the same edges");
    edges.push_back(code.edges[static_cast<std::size_t>(same - plan.edges.begin())]);
  }
  code.edges = std::move(edges);
  return code;
}

std::unique_ptr<Partitioner> make_partitioner(Exchange exchange, const PartitionerFactory& typed,
                                              const PartitionerPlace& place) {
  switch (exchange) {
    case Exchange::kForward:
    case Exchange::kRebalance:
    case Exchange::kRescale:
      return std::make_unique<RoundRobin>(place.sender % place.channels);
    case Exchange::kGlobal:
      return std::make_unique<ToFirst>();
    case Exchange::kBroadcast:
      return nullptr;
    case Exchange::kKeyed:
    case Exchange::kRandom:
    case Exchange::kCustom:
      break;
  }
  check(typed != nullptr, "an exchange by key, at random or by the user's choice has no code");
  return typed(place);
}

}  // namespace millrace::detail
