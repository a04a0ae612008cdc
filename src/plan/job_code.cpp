#include "millrace/plan/job_code.h"

namespace millrace::detail {

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
